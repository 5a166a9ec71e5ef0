internal import Crypto
internal import EventLoop
internal import Host
internal import Logging

/// The daemons of local workspaces: processes of their own, that outlive the plane.
///
///     workspaces/<id>/root        the workspace's files, unless another folder was named
///     workspaces/<id>/daemon/     the daemon's own: its key, certificate and journal
///     workspaces/<id>/daemon.log  what it says
///
/// A daemon enrolls like any other: it makes its key itself and trades a one-use token for a
/// certificate. The token is handed over in a file for the account alone, since arguments are
/// visible to every account.
struct LocalDaemons: Sendable {
  let folder: StateFolder
  let program: String
  let authority: Certificate
  let listeners: Listeners
  let timeout: Duration
  /// What commands must not see, besides the state folder.
  let hiddenFiles: [String]
  /// Blocking work goes here.
  let disk: WorkerPool
  /// Hears of the ends of processes.
  let loop: EventLoop

  /// HOST:PORT of the mutual listener, as daemons are told. On this machine: a name that the plane is
  /// known by elsewhere may not be known here.
  var planeAddress: String { listeners.bound.addresses.nearMutual.description }

  /// Makes a workspace's folders; gives its root.
  ///
  /// `root` is an existing folder, or empty for one that the plane makes.
  func prepare(_ id: String, root: String) async throws(PlaneError) -> WorkspaceRecord.Local {
    guard root.isEmpty || root.hasPrefix("/") else {
      throw PlaneError(.invalidArgument, "the root '\(root)' is not an absolute path")
    }
    guard !root.utf8.contains(0) else {
      throw PlaneError(.invalidArgument, "the root's path holds a NUL")
    }
    guard root.isEmpty || ThisProcess.isFolder(root) else {
      throw PlaneError(
        .invalidArgument,
        "the root '\(root)' is not a folder on the plane's machine"
      )
    }
    if let problem = RootCheck.problem(root, state: folder.path, Self.secretPlaces) {
      throw PlaneError(.invalidArgument, problem)
    }
    return try await onDisk {
      try folder.makeFolder("workspaces/\(id)/daemon")
      guard root.isEmpty else {
        // Commands may put a link in its place later, which must not lead anywhere else.
        let real = RealPath.of(root) ?? root
        return WorkspaceRecord.Local(root: real, ownsRoot: false)
      }
      try folder.makeFolder("workspaces/\(id)/root")
      return WorkspaceRecord.Local(
        root: folder.path(of: "workspaces/\(id)/root"),
        ownsRoot: true
      )
    }
  }

  /// Starts the daemon of a workspace. It uses `token` unless it has a certificate already.
  func start(
    _ id: String,
    _ local: WorkspaceRecord.Local,
    token: String
  ) async throws(PlaneError) -> WorkspaceRecord.Local {
    guard local.ownsRoot || RealPath.of(local.root) == local.root else {
      throw PlaneError(
        .failedPrecondition,
        "the root '\(local.root)' is gone, or a symbolic link is in its place by now; put the folder "
          + "back, then run: gatehouse workspace start"
      )
    }
    return try await onDisk {
      let name = "workspaces/\(id)"
      try folder.write(Array(token.utf8), to: "\(name)/daemon/token")
      try folder.write(Array(try authority.pem.utf8), to: "\(name)/daemon/ca.pem")
      try folder.trimLog("\(name)/daemon.log", maxBytes: 4 << 20)
      var started = local
      started.planeAddress = planeAddress
      do throws(HostError) {
        started.daemon = try .start(
          program,
          arguments(name, local),
          environment: Self.environment + [DescriptorLimit.variable],
          log: folder.path(of: "\(name)/daemon.log")
        )
      } catch {
        // Its path is no secret of the plane's: who may make local workspaces has to mend it.
        throw PlaneError(
          .failedPrecondition,
          "\(error); put it beside gatehouse or set daemon.program"
        )
      }
      return started
    }
  }

  /// Of a daemon whose own files are below `name` in the state folder.
  private func arguments(_ name: String, _ local: WorkspaceRecord.Local) -> [String] {
    [
      "--state", folder.path(of: "\(name)/daemon"),
      local.ownsRoot ? "--own-root" : "--root", local.root,
      "--ca", folder.path(of: "\(name)/daemon/ca.pem"),
      "--plane", planeAddress,
      "--enroll-address", listeners.bound.addresses.nearOpen.description,
      "--token-file", folder.path(of: "\(name)/daemon/token"),
      // A plane that starts again is on this machine: there is no crowd to keep from it.
      "--redial-within", "2",
      // Commands see none of the plane's state but their own root.
      "--hide", folder.path,
    ] + hiddenFiles.flatMap { ["--hide", $0] }
  }

  /// Ends the daemon of a workspace that nobody knows: a plane started it, and was killed before it
  /// could write it down. It holds its folder, and would keep out the next.
  func stopStray(_ id: String) async throws(PlaneError) {
    let stray = try await onDisk { [folder] in try folder.holder(of: "workspaces/\(id)/daemon") }
    guard let stray else { return }
    Plane.log.warning(
      "daemon_unknown",
      metadata: ["workspace": "\(id)", "pid": "\(stray.pid)", "effect": "it is ended"]
    )
    await stop(stray)
  }

  /// Ends a daemon and waits until it is gone; after `timeout` by force.
  func stop(_ process: DetachedProcess) async {
    process.terminate()
    let end = ContinuousClock.now + timeout
    while process.isRunning {
      if ContinuousClock.now >= end { process.kill() }
      // The kernel tells nobody but the parent, which an earlier plane was.
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Returns when a daemon has ended, or the task is cancelled.
  func waitForEnd(of process: DetachedProcess) async {
    await ProcessEnd.wait(for: process, on: loop)
  }

  /// The last line of what a daemon said, for people.
  func lastWords(of id: String) async -> String {
    let (folder, name) = (folder, "workspaces/\(id)/daemon.log")
    let end = try? await disk.run { try folder.readEnd(of: name, maxBytes: 1024) }
    let text = String(decoding: end ?? [], as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).last.map(String.init) ?? "nothing"
  }

  /// Removes all that the plane made for a workspace.
  func remove(_ id: String) async throws(PlaneError) {
    try await onDisk { try folder.removeFolder("workspaces/\(id)") }
  }

  /// What a daemon may know of the plane's environment: no keys, no tokens.
  private static var environment: [String] {
    ["PATH", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"]
      .compactMap { name in ThisProcess.variable(name).map { "\(name)=\($0)" } }
      + secretPlaces.map { "\($0.key)=\($0.value)" }
  }

  /// Variables that say where secrets lie, so that they can be hidden. None is a secret itself.
  private static var secretPlaces: [String: String] {
    var places: [String: String] = [:]
    for name in ["HOME", "XDG_CONFIG_HOME", "GATEHOUSE_KEY"] {
      places[name] = ThisProcess.variable(name)
    }
    return places
  }

  private func onDisk<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
  ) async throws(PlaneError) -> Result {
    do {
      return try await disk.run(body)
    } catch let error as PlaneError {
      throw error
    } catch {
      throw PlaneError(.internalError, "\(error)")
    }
  }
}
