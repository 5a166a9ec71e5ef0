internal import EventLoop
internal import FoundationEssentials
internal import RPC
internal import SwiftProtobuf
internal import TLS
internal import Wire

/// A daemon that runs nothing and answers at once, so that the plane is what is measured: its
/// `Connect` stream.
final class ScriptedDaemon: ClientHandler {
  /// Gives its request back as output.
  static let echoTool = "bench.echo"
  /// Gives its input back as output, until it is cancelled.
  static let pongTool = "bench.pong"
  /// As many bytes of output as its request says in decimal, in chunks of 64 KiB.
  static let bytesTool = "bench.bytes"

  private let connection: Connection
  private let linked: @Sendable () -> Void
  private var epoch = ""
  /// Calls with much output, by id: they can be cancelled.
  private var long: [String: (carry: ScriptedCarry, call: ClientCall)] = [:]

  private init(_ connection: Connection, _ linked: @escaping @Sendable () -> Void) {
    self.connection = connection
    self.linked = linked
  }

  /// Links to a plane, and returns when that is done.
  static func link(
    to plane: HostPort,
    _ tls: TLSContext,
    on loop: EventLoop
  ) async throws {
    let connection = try await Connection.connect(to: plane, tls: tls, on: loop)
    let (isLinked, linked) = AsyncStream.makeStream(of: Void.self)
    let call = try await connection.open(PlaneMethods.connect) {
      ScriptedDaemon(connection) { linked.finish() }
    }
    loop.execute {
      send(to: call) { request in
        request.hello.generation = 1
        request.hello.instanceID = Data(repeating: 7, count: 16)
        request.hello.maxCalls = 1_024
      }
    }
    for await _ in isLinked {}
  }

  func received(_ message: [UInt8], credit: Int, on call: ClientCall) {
    call.credit(credit)
    guard let response = try? Gatehouse_Link_V1_ConnectResponse(serializedBytes: message) else {
      return call.cancel()
    }
    switch response.message {
    case .welcome(let welcome):
      epoch = String(welcome.sessionEpoch)
      Self.send(to: call) { $0.inventory.last = true }
      linked()
    case .offer(let offer): carry(offer)
    case .cancel(let cancel):
      if let (carry, call) = long.removeValue(forKey: cancel.callID) { carry.stop(call) }
    case .heartbeat(let heartbeat): Self.send(to: call) { $0.heartbeat = heartbeat }
    default: break
    }
  }

  func ended(_ status: RPCStatus, _ call: ClientCall) {
    Progress.say("the daemon's link ended: \(status)")
  }

  private func carry(_ offer: Gatehouse_Link_V1_Offer) {
    var metadata: Metadata = ["gatehouse-call": offer.callID, "gatehouse-epoch": epoch]
    metadata.add("gatehouse-ticket-bin", bytes: Array(offer.ticket))
    let request = Array(offer.request)
    switch offer.tool {
    case Self.echoTool: open(metadata) { ScriptedCarry(echoing: request) }
    case Self.pongTool: open(metadata) { ScriptedPong() }
    default:
      let carry = ScriptedCarry(bytesOf: request)
      if let call = open(metadata, { carry }) { long[offer.callID] = (carry, call) }
    }
  }

  @discardableResult
  private func open(_ metadata: Metadata, _ handler: @Sendable () -> any ClientHandler)
    -> ClientCall?
  {
    connection.assumeIsolated { connection in
      let call = try? connection.open(PlaneMethods.carry, metadata: metadata, handler)
      if let call { ScriptedCarry.begin(call) }
      return call
    }
  }

  private static func send(
    to call: ClientCall,
    _ build: (inout Gatehouse_Link_V1_ConnectRequest) -> Void
  ) {
    var request = Gatehouse_Link_V1_ConnectRequest()
    build(&request)
    guard let bytes: [UInt8] = try? request.serializedBytes() else { return }
    call.send(bytes)
  }
}
