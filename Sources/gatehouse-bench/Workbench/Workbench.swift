internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import PlanePKI
internal import Sandbox
internal import Synchronization

/// What a measurement needs around it: a temporary folder, certificates, and child processes. All
/// of it is gone when the measurement ends.
final class Workbench: Sendable {
  /// The temporary folder, absolute.
  let folder: String
  let identities: Identities
  /// The folder of the peers' sources and what was built of them, absolute.
  let peers: String
  /// Starts the children, who die with its thread, and waits for them.
  private let thread = WorkerPool(name: "children", threads: 1)
  private let children = Mutex<[ChildProcess]>([])

  private init(folder: String, peers: String) throws {
    self.folder = folder
    let here = FileManager.default.currentDirectoryPath
    self.peers = peers.hasPrefix("/") ? peers : "\(here)/\(peers)"
    identities = try Identities(in: "\(folder)/identities")
  }

  private static let folderInUse = Mutex<String?>(nil)

  /// Removes the temporary folder, if there is one: there are keys in it. From any thread.
  static func removeFolder() {
    guard let folder = folderInUse.withLock({ $0.take() }) else { return }
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Lends a workbench, and clears it away, whatever `body` comes to.
  static func with<Result>(
    peers: String,
    _ body: (Workbench) async throws -> Result
  ) async throws -> Result {
    let files = FileManager.default
    let parent = Host.ThisProcess.variable("TMPDIR") ?? "/tmp"
    let folder = "\(parent)/gatehouse-bench-\(Sandbox.ThisProcess.id)"
    try files.createDirectory(atPath: folder, withIntermediateDirectories: false)
    folderInUse.withLock { $0 = folder }
    defer { removeFolder() }
    let workbench = try Workbench(folder: folder, peers: peers)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(workbench)) } catch { result = .failure(error) }
    try await workbench.endChildren()
    return try result.get()
  }

  /// Starts a program that runs until the measurement ends. `environment` is added to ours.
  func start(
    _ arguments: [String],
    environment: [String: String] = [:]
  ) async throws -> ChildProcess {
    let folder = folder
    let child = try await thread.run {
      try ChildProcess.start(arguments, environment: environment, in: folder)
    }
    children.withLock { $0.append(child) }
    return child
  }

  /// This program, to run again as one of the servers.
  static func ownProgram() throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  }

  /// Starts a server that prints its port when it is ready.
  func serve(
    _ program: String,
    _ arguments: [String]
  ) async throws -> (ChildProcess, HostPort) {
    let child = try await start([program] + arguments)
    let line = try await thread.run { try child.line(within: .seconds(20)) }
    guard let port = UInt16(line) else {
      throw BenchError("'\(program)' did not start: \(line)")
    }
    return (child, HostPort(host: "127.0.0.1", port: port))
  }

  /// Runs a program to its end and gives what it printed.
  func output(
    of arguments: [String],
    environment: [String: String] = [:],
    within limit: Duration
  ) async throws -> String {
    let child = try await start(arguments, environment: environment)
    do {
      let text = try await thread.run { try child.everything(within: limit) }
      try await end(child)
      return text
    } catch {
      try await end(child)
      throw error
    }
  }

  /// Writes a file into the folder and gives its path.
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let path = "\(folder)/\(name)"
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }

  /// Waits until a child has said `text`.
  func wait(for text: String, from child: ChildProcess, within limit: Duration) async throws {
    try await thread.run { try child.wait(for: text, within: limit) }
  }

  /// Ends a child before the measurement does.
  func end(_ child: ChildProcess) async throws {
    children.withLock { $0.removeAll { $0.id == child.id } }
    try await thread.run { child.end() }
  }

  private func endChildren() async throws {
    let children = children.withLock { $0 }
    try await thread.run { for child in children.reversed() { child.end() } }
  }
}
