import Calls
import FoundationEssentials
import RPC
import SwiftProtobuf
import Testing
import Wire

/// A daemon that reads as a transcript: what it says, and what it expects to hear.
struct ScriptedDaemon {
  let connection: Connection
  let link: ClientStream
  let welcome: Gatehouse_Link_V1_Welcome

  init(
    _ connection: Connection,
    instance: UInt8,
    knowing calls: [String],
    maxCalls: Int,
    capabilities: [String] = [],
    ended exit: Gatehouse_Tools_V1_Exit? = nil
  ) async throws {
    self.connection = connection
    link = try await connection.openStream("/gatehouse.link.v1.Link/Connect")
    var hello = Gatehouse_Link_V1_ConnectRequest()
    hello.hello.generation = 1
    hello.hello.instanceID = Data(repeating: instance, count: 16)
    hello.hello.maxCalls = UInt32(maxCalls)
    hello.hello.capabilities = capabilities
    try await link.send(hello.serializedBytes())
    welcome = try await Self.next(link).welcome
    var inventory = Gatehouse_Link_V1_ConnectRequest()
    inventory.inventory.calls = calls.map { id in
      var call = Gatehouse_Link_V1_KnownCall()
      call.callID = id
      call.ended = exit != nil
      if let exit { call.exit = exit }
      return call
    }
    inventory.inventory.last = true
    try await link.send(inventory.serializedBytes())
  }

  /// The next message on `Connect`.
  func next() async throws -> Gatehouse_Link_V1_ConnectResponse { try await Self.next(link) }

  private func nextButHeartbeats() async throws -> Gatehouse_Link_V1_ConnectResponse {
    while true {
      let message = try await next()
      guard case .heartbeat = message.message else { return message }
    }
  }

  private static func next(
    _ link: ClientStream
  ) async throws -> Gatehouse_Link_V1_ConnectResponse {
    try Gatehouse_Link_V1_ConnectResponse(serializedBytes: #require(await link.next()))
  }

  func expectOffer() async throws -> Gatehouse_Link_V1_Offer {
    let message = try await nextButHeartbeats()
    guard case .offer(let offer) = message.message else {
      throw Unexpected(what: "\(message)")
    }
    return offer
  }

  func expectResume() async throws -> Gatehouse_Link_V1_Resume {
    let message = try await nextButHeartbeats()
    guard case .resume(let resume) = message.message else {
      throw Unexpected(what: "\(message)")
    }
    return resume
  }

  func expectCancel() async throws -> String {
    let message = try await nextButHeartbeats()
    guard case .cancel(let cancel) = message.message else {
      throw Unexpected(what: "\(message)")
    }
    return cancel.callID
  }

  func send(_ build: (inout Gatehouse_Link_V1_ConnectRequest) -> Void) async throws {
    var message = Gatehouse_Link_V1_ConnectRequest()
    build(&message)
    try await link.send(message.serializedBytes())
  }

  /// Opens `Carry`, on another connection if told so.
  func claim(
    _ call: String,
    ticket: Data,
    epoch: UInt64? = nil,
    on other: Connection? = nil
  ) async throws -> ScriptedCarry {
    var metadata: Metadata = [
      "gatehouse-call": call, "gatehouse-epoch": String(epoch ?? welcome.sessionEpoch),
    ]
    metadata.add("gatehouse-ticket-bin", bytes: Array(ticket))
    return ScriptedCarry(
      stream: try await (other ?? connection).openStream(
        "/gatehouse.link.v1.Link/Carry",
        metadata: metadata
      )
    )
  }

  /// Opens `Carry` and says how much input it has.
  func carry(
    _ call: String,
    ticket: Data,
    stdin: UInt64 = 0,
    on other: Connection? = nil
  ) async throws -> ScriptedCarry {
    let carry = try await claim(call, ticket: ticket, on: other)
    try await carry.send { $0.opened.received = [offset(.stdin, stdin)] }
    return carry
  }

  func carry(_ offer: Gatehouse_Link_V1_Offer) async throws -> ScriptedCarry {
    try await carry(offer.callID, ticket: offer.ticket)
  }

  /// The connection is gone from one moment to the next.
  func cut() async { await connection.closeClient() }
}

struct ScriptedCarry {
  let stream: ClientStream

  func send(_ build: (inout Gatehouse_Link_V1_CarryRequest) -> Void) async throws {
    var message = Gatehouse_Link_V1_CarryRequest()
    build(&message)
    try await stream.send(message.serializedBytes())
  }

  func send(stdout bytes: [UInt8], at offset: UInt64) async throws {
    try await send(bytes, of: .stdout, at: offset)
  }

  func send(_ bytes: [UInt8], of stream: CallStream, at offset: UInt64) async throws {
    try await self.stream.send(Chunk.message(stream: stream, offset: offset, data: bytes[...]))
  }

  /// Says how the call ended, and waits until the plane has it.
  func exit(code: Int32 = 0, stdout: UInt64 = 0) async throws {
    try await send { message in
      message.exit.outcome = .exited
      message.exit.code = code
      message.exit.totals = [total(.stdout, stdout)]
    }
    await stream.halfClose()
    while try await stream.next() != nil {}
  }

  func exit(_ outcome: Gatehouse_Tools_V1_Outcome) async throws {
    try await send { $0.exit.outcome = outcome }
    await stream.halfClose()
    while try await stream.next() != nil {}
  }

  /// The next message that is no acknowledgement.
  func next() async throws -> Gatehouse_Link_V1_CarryResponse {
    while let bytes = try await stream.next() {
      let message = try Gatehouse_Link_V1_CarryResponse(serializedBytes: bytes)
      if case .ack = message.message { continue }
      return message
    }
    throw Unexpected(what: "the end")
  }
}

struct Unexpected: Error {
  let what: String
}

func offset(_ stream: Gatehouse_Tools_V1_Stream, _ position: UInt64)
  -> Gatehouse_Tools_V1_StreamOffset
{
  var offset = Gatehouse_Tools_V1_StreamOffset()
  offset.stream = stream
  offset.offset = position
  return offset
}

func total(_ stream: Gatehouse_Tools_V1_Stream, _ bytes: UInt64) -> Gatehouse_Tools_V1_StreamTotal {
  var total = Gatehouse_Tools_V1_StreamTotal()
  total.stream = stream
  total.bytes = bytes
  return total
}
