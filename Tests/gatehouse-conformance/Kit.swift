internal import Broker
internal import Calls
internal import EventLoop
internal import Foundation
internal import Host
internal import Plane
internal import RPC
internal import SwiftProtobuf
internal import TLS
internal import Wire

/// The plane that judges: the real one on loopback, with a client beside it and a hand between it and
/// the daemon's streams.
final class Kit: Sendable {
  let workspace: String
  let client: ToolClient
  /// What the daemon's `Carry` streams meet before the broker.
  let carries: CarryMeddler
  let bulkBytes: Int
  private let plane: Plane
  private let loop: EventLoop
  private let folder: String
  private let token: String

  init(in folder: String, bulkBytes: Int) async throws {
    self.folder = folder
    self.bulkBytes = bulkBytes
    let carries = CarryMeddler()
    self.carries = carries
    var configuration = PlaneConfiguration(stateFolder: "\(folder)/plane")
    let anyPort = HostPort(host: "127.0.0.1", port: 0)
    configuration.listen = anyPort
    configuration.listenOpen = anyPort
    configuration.listenAdmin = anyPort
    // Short, so that nobody waits long for an offer that is made again, or for a heartbeat.
    configuration.broker.timing.claim = .seconds(2)
    configuration.broker.heartbeat = .seconds(1)
    configuration.interpose = { service in
      var service = service
      service.interpose("/gatehouse.link.v1.Link/Carry") { call, next in
        try carries.meet(call, next)
      }
      return service
    }
    for name in ["plane", "root", "state"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(name)",
        withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700]
      )
    }
    plane = try await Plane(configuration)
    loop = try EventLoop(name: "client")
    client = ToolClient(try await Self.connect(to: plane, folder, on: loop), workspace: "subject")
    var request = Gatehouse_Plane_V1_CreateWorkspaceRequest()
    request.name = "subject"
    let answer: Gatehouse_Plane_V1_CreateWorkspaceResponse = try await client.unary(
      "/gatehouse.plane.v1.Workspaces/Create",
      request
    )
    (workspace, token) = (answer.workspace.id, answer.joinToken)
    try Data(token.utf8).write(to: URL(filePath: "\(folder)/token"))
  }

  /// As the plane's admin, who owns the workspace.
  private static func connect(
    to plane: Plane,
    _ folder: String,
    on loop: EventLoop
  ) async throws -> Connection {
    func read(_ name: String) throws -> String {
      try String(contentsOfFile: "\(folder)/plane/client/\(name)", encoding: .utf8)
    }
    let identity = try TLSIdentity(chainPEM: read("cert.pem"), keyPEM: read("key.pem"))
    return try await Connection.connect(
      to: plane.addresses.mutual,
      tls: .client(identity: identity, authoritiesPEM: read("ca.pem")),
      on: loop
    )
  }

  func close() async {
    await client.connection.closeClient()
    await plane.stop()
    loop.stop()
  }

  // MARK: The daemon

  /// Starts the daemon, or says how to, and waits until it is linked.
  func start(_ command: [String], log: String?) async throws -> DaemonProcess? {
    let words = [
      "token": token, "token-file": "\(folder)/token", "ca": "\(folder)/plane/pki/ca.pem",
      "enroll": plane.addresses.open.description, "plane": plane.addresses.mutual.description,
      "root": "\(folder)/root", "state": "\(folder)/state",
    ]
    guard !command.isEmpty else {
      let lines = words.sorted { $0.key < $1.key }.map { "  \($0.key)  \($0.value)\n" }
      try ThisProcess.say("start the daemon within ten minutes, with\n\(lines.joined())")
      try await expectLink(within: .seconds(600))
      return nil
    }
    let filled = command.map { word in
      words.reduce(word) { $0.replacingOccurrences(of: "{\($1.key)}", with: $1.value) }
    }
    let process = try DaemonProcess(filled, log: log)
    for _ in 0..<60 {
      if await plane.broker.waitForLink(of: workspace, within: .milliseconds(500)) {
        return process
      }
      guard process.isRunning else {
        throw Failure("the daemon ended with \(process.code) before it linked")
      }
    }
    process.end()
    throw Failure("the daemon did not link within 30 seconds")
  }

  private func expectLink(within limit: Duration) async throws {
    let isUp = await plane.broker.waitForLink(of: workspace, within: limit)
    try expect(isUp, "the daemon did not link within \(limit)")
  }

  /// The daemon keeps its link for so long.
  func expectLinkStays(for time: Duration) async throws {
    let isGone = await plane.broker.waitForLink(of: workspace, toBe: false, within: time)
    try expect(!isGone, "the link was lost within \(time)")
  }

  /// The link there is now.
  func link() async throws -> Broker.Link {
    try await expectLink(within: .seconds(60))
    guard let link = await plane.broker.link(of: workspace) else {
      throw Failure("the link was lost")
    }
    return link
  }

  /// Ends the daemon's connections from one moment to the next, as a network does.
  func cut() async { await plane.cutConnections(of: workspace) }

  /// The same, and waits until the daemon is back.
  func cutAndWait() async throws {
    let epoch = try await link().epoch
    await cut()
    // The plane knows of no link once it has cut it.
    try await expect(link().epoch != epoch, "the daemon is on the link that was cut")
  }
}

/// The daemon under test, as a child that ends with the kit.
final class DaemonProcess {
  private let process = Process()
  private let ended = DispatchSemaphore(value: 0)

  init(_ command: [String], log: String?) throws {
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardInput = FileHandle.nullDevice
    var output = FileHandle.standardError
    if let log {
      try Data().write(to: URL(filePath: log))
      output = try FileHandle(forWritingTo: URL(filePath: log))
    }
    process.standardOutput = output
    process.standardError = output
    process.terminationHandler = { [ended] _ in ended.signal() }
    try process.run()
  }

  var isRunning: Bool { process.isRunning }

  /// Its exit code, or a signal's number; once it has ended.
  var code: Int32 { process.terminationStatus }

  /// Asks it to end, and has it ended ten seconds later.
  func end() {
    guard process.isRunning else { return }
    process.terminate()
    if ended.wait(timeout: .now() + 10) == .timedOut { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }
}
