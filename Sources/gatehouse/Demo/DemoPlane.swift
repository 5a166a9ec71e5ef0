internal import Client
internal import EventLoop
internal import FoundationEssentials
internal import Host

/// The demo's plane, a process of its own, which can be killed and started again where it was.
actor DemoPlane {
  /// As its line says when it is ready.
  struct Addresses: Sendable {
    let mutual: HostPort
    let open: HostPort
  }

  private let folder: String
  private let options: [String]
  private let environment: [String]
  private var starts = 1
  private(set) var process: DetachedProcess
  nonisolated let addresses: Addresses

  /// - Parameters:
  ///   - folder: for its state and logs.
  ///   - options: of `gatehouse plane`, beside its folder and addresses.
  ///   - secrets: `NAME=value`, for its environment only.
  /// - Throws: when it does not start.
  init(in folder: String, _ options: [String], secrets: [String]) async throws {
    self.folder = folder
    self.options = options
    environment = DemoEnvironment.plain + secrets
    let log = Self.log(1, in: folder)
    let anywhere = HostPort(host: "127.0.0.1", port: 0)
    let process = try Self.start(
      in: folder,
      at: Addresses(mutual: anywhere, open: anywhere),
      options,
      environment,
      log: log
    )
    self.process = process
    do {
      addresses = try await Self.ready(process, log: log)
    } catch {
      await DemoStage.end(process)
      throw error
    }
  }

  /// Kills it, as a crash does, and starts it again.
  func killAndRestart() async throws {
    process.kill()
    while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
    starts += 1
    let log = Self.log(starts, in: folder)
    process = try Self.start(in: folder, at: addresses, options, environment, log: log)
    _ = try await Self.ready(process, log: log)
  }

  private static func log(_ start: Int, in folder: String) -> String {
    "\(folder)/plane\(start > 1 ? "-\(start)" : "").log"
  }

  private static func start(
    in folder: String,
    at addresses: Addresses,
    _ options: [String],
    _ environment: [String],
    log: String
  ) throws -> DetachedProcess {
    try DetachedProcess.start(
      try ThisProcess.sibling("gatehouse"),
      [
        "plane", "--state", "\(folder)/state", "--listen", "\(addresses.mutual)", "--listen-open",
        "\(addresses.open)", "--listen-admin", "127.0.0.1:0",
      ] + options,
      environment: environment,
      log: log
    )
  }

  /// Waits for the plane's line on its standard output.
  private static func ready(_ plane: DetachedProcess, log: String) async throws -> Addresses {
    let limit = ContinuousClock.now + .seconds(20)
    while true {
      let lines = DemoLog.text(of: log).split(separator: "\n")
      if let line = lines.first(where: { $0.hasPrefix("ready ") }) {
        var fields: [Substring: Substring] = [:]
        for field in line.split(separator: " ") {
          let parts = field.split(separator: "=", maxSplits: 1)
          if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        if let mutual = fields["listen"].flatMap({ HostPort(String($0)) }),
          let open = fields["open"].flatMap({ HostPort(String($0)) })
        {
          return Addresses(mutual: mutual, open: open)
        }
      }
      guard plane.isRunning, ContinuousClock.now < limit else {
        throw ClientError("the plane did not start; it says: \(DemoLog.lastLine(of: log))")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
