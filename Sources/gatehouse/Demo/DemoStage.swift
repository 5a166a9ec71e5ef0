internal import Client
internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import SwiftProtobuf
internal import Wire

/// What the demo runs on: a folder, a plane, a relay and a workspace's daemon, each a process of its
/// own where it is one in life.
struct DemoStage: Sendable {
  static let workspace = "demo"

  let folder: String
  let root: String
  let plane: DemoPlane

  var addresses: DemoPlane.Addresses { plane.addresses }
  var state: String { "\(folder)/state" }
  var daemonState: String { "\(folder)/daemon" }
  var daemonLog: String { "\(folder)/daemon.log" }

  /// Makes the folder and starts the plane. `secrets` go to the plane's environment only.
  static func open(root: String?, secrets: [String], usesScript: Bool) async throws -> DemoStage {
    let folder = try makeFolder()
    let work = try root ?? makeProject(in: folder)
    var options: [String] = []
    if usesScript {
      try write(DemoProject.transcript, to: "\(folder)/script.json")
      options = ["--script", "\(folder)/script.json"]
    }
    let plane = try await DemoPlane(in: folder, options, secrets: secrets)
    return DemoStage(folder: folder, root: work, plane: plane)
  }

  /// Starts the workspace's daemon, which reaches the plane at `plane`.
  func startDaemon(through plane: HostPort, token: String?) throws -> DetachedProcess {
    var arguments = [
      "--state", daemonState, "--root", root, "--ca", "\(state)/client/ca.pem", "--plane",
      plane.description, "--hide", state, "--hide", "\(state).checkpoints",
      "--enroll-address", addresses.open.description,
    ]
    if let token {
      try StateFolder(daemonState).write(Array(token.utf8), to: "token")
    }
    arguments += ["--token-file", "\(daemonState)/token"]
    return try DetachedProcess.start(
      try ThisProcess.sibling("gatehouse-toold"),
      arguments,
      environment: DemoEnvironment.plain,
      log: daemonLog
    )
  }

  /// Waits until the workspace is linked.
  ///
  /// - Throws: `ClientError` when its daemon ends, or after 15 s.
  func waitForLink(_ client: PlaneClient, _ daemon: DetachedProcess) async throws {
    let limit = ContinuousClock.now + .seconds(15)
    while try await client.workspaces().first(where: { $0.state == .linked }) == nil {
      guard daemon.isRunning, ContinuousClock.now < limit else {
        throw ClientError("the daemon did not link; it says: \(DemoLog.lastLine(of: daemonLog))")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  func connect() async throws -> PlaneClient {
    try await PlaneClient.connect(
      ClientSettings.find(.init(plane: addresses.mutual.description, state: state))
    )
  }

  /// Ends the processes and removes the folder, unless its logs are to be read.
  func close(_ daemon: DetachedProcess?, keepsFolder: Bool = false) async {
    if let daemon { await Self.end(daemon) }
    await Self.end(plane.process)
    guard !keepsFolder else { return }
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// SIGTERM, and after five seconds SIGKILL.
  static func end(_ process: DetachedProcess) async {
    process.terminate()
    let limit = ContinuousClock.now + .seconds(5)
    while process.isRunning {
      if ContinuousClock.now > limit { process.kill() }
      // Goes on when this task is cancelled: it is what cleans up.
      await Task { try? await Task.sleep(for: .milliseconds(20)) }.value
    }
  }

  private static func makeFolder() throws -> String {
    var random = SystemRandomNumberGenerator()
    let name = "gatehouse-demo-" + String(random.next(), radix: 36)
    let parent = ThisProcess.variable("TMPDIR") ?? "/tmp"
    return try StateFolder("\(parent)/\(name)").path
  }

  private static func makeProject(in folder: String) throws -> String {
    let root = try StateFolder("\(folder)/project").path
    for (name, text) in DemoProject.files { try write(text, to: "\(root)/\(name)") }
    return root
  }

  private static func write(_ text: String, to path: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else {
      throw ClientError("cannot write \(path)")
    }
  }

}

/// A log of one of the demo's processes.
enum DemoLog {
  static func text(of path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  static func lastLine(of log: String) -> String {
    text(of: log).split(separator: "\n").last.map(String.init) ?? "nothing"
  }
}

/// What the demo's processes know of the account's environment.
enum DemoEnvironment {
  private static let names = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR",
    "XDG_CONFIG_HOME", "GATEHOUSE_KEY",
  ]
  private static let forModels = [
    "GATEHOUSE_MODEL_URL", "GATEHOUSE_MODEL", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
    "SSL_CERT_FILE",
  ]

  static var plain: [String] { entries(names) }
  static var models: [String] { entries(forModels) }

  private static func entries(_ names: [String]) -> [String] {
    names.compactMap { name in ThisProcess.variable(name).map { "\(name)=\($0)" } }
  }
}
