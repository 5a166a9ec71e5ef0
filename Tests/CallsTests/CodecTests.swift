import FoundationEssentials
import SwiftProtobuf
import Testing
import Wire

@testable import Calls

struct CodecTests {
  static let request = Array(repeating: UInt8(7), count: 300)

  @Test(arguments: [nil, [], request]) func `an offer is written as SwiftProtobuf does`(
    request: [UInt8]?
  ) throws {
    var response = Gatehouse_Link_V1_ConnectResponse()
    response.offer.callID = "call_1"
    response.offer.ticket = Data(1...16)
    response.offer.digest = Data(repeating: 9, count: 32)
    response.offer.deadlineMs = 600_000
    response.offer.tool = "process.exec"
    response.offer.request = Data(request ?? [])
    response.offer.requestBytes = 300
    let message = OfferMessage.make(
      callID: "call_1",
      ticket: Array(1...16),
      digest: Array(repeating: 9, count: 32),
      deadline: 600_000,
      tool: "process.exec",
      request: request,
      requestBytes: 300
    )
    #expect(try message == response.serializedBytes())
  }

  @Test(arguments: [false, true])
  func `an acceptance is written as SwiftProtobuf does`(isRepeated: Bool) throws {
    var response = Gatehouse_Tools_V1_InvokeResponse()
    response.accepted.callID = "call_1"
    response.accepted.digest = Data(repeating: 9, count: 32)
    response.accepted.repeatedKey = isRepeated
    let digest = [UInt8](repeating: 9, count: 32)
    let message = AcceptedMessage.make(callID: "call_1", digest: digest, repeatedKey: isRepeated)
    #expect(try message == response.serializedBytes())
  }

  @Test(arguments: ["", "waits", String(repeating: "é", count: 100)])
  func `a state is written as SwiftProtobuf does`(detail: String) throws {
    var response = Gatehouse_Tools_V1_FollowResponse()
    response.state.state = .detached
    response.state.detail = detail
    let state = UInt64(Gatehouse_Tools_V1_CallState.detached.rawValue)
    #expect(try StateMessage.make(state: state, detail: detail) == response.serializedBytes())
  }

  static let start: Gatehouse_Tools_V1_InvokeRequest = {
    var message = Gatehouse_Tools_V1_InvokeRequest()
    message.start.workspace = "a1"
    message.start.tool = "process.exec"
    message.start.request = Data(request)
    message.start.timeoutMs = 300
    message.start.idempotencyKey = "é"
    message.start.log = .relay
    message.start.detach = true
    message.start.acknowledges = true
    message.start.graceMs = 120_000
    return message
  }()

  @Test func `a start is read`() throws {
    let start = try #require(try StartMessage(Self.start.serializedBytes()))
    #expect(start.workspace == "a1")
    #expect(start.tool == "process.exec")
    #expect(start.request == Self.request)
    #expect(start.timeout == 300)
    #expect(start.idempotencyKey == "é")
    #expect(start.log == 1)
    #expect(start.detaches && start.acknowledges)
    #expect(start.grace == 120_000)
    let empty = StartMessage([0x12, 0])
    #expect(empty?.workspace == "" && empty?.timeout == 0 && empty?.detaches == false)
  }

  @Test func `a start that is read means the same to SwiftProtobuf, whatever byte flips`() throws {
    let message: [UInt8] = try Self.start.serializedBytes()
    for flipped in Self.mutations(of: message) {
      guard let start = StartMessage(flipped) else { continue }
      let decoded = try Gatehouse_Tools_V1_InvokeRequest(serializedBytes: flipped).start
      #expect(decoded.workspace == start.workspace)
      #expect(decoded.tool == start.tool)
      #expect(Array(decoded.request) == start.request)
      #expect(decoded.timeoutMs == start.timeout)
      #expect(decoded.idempotencyKey == start.idempotencyKey)
      #expect(decoded.log.rawValue == Int(Int32(truncatingIfNeeded: start.log)))
      #expect(decoded.detach == start.detaches && decoded.acknowledges == start.acknowledges)
    }
  }

  static let exit: Gatehouse_Link_V1_CarryRequest = {
    var message = Gatehouse_Link_V1_CarryRequest()
    message.exit.outcome = .signalled
    message.exit.code = -1
    message.exit.signal = 9
    message.exit.response = Data([1, 2, 3])
    message.exit.totals = [CallStream.stdout, .stderr].map { stream in
      var total = Gatehouse_Tools_V1_StreamTotal()
      total.stream = Gatehouse_Tools_V1_Stream(rawValue: Int(stream.rawValue)) ?? .unspecified
      total.bytes = 1 << 40
      total.sha256 = Data(repeating: 5, count: 32)
      return total
    }
    message.exit.durationUs = 1_000_000
    message.exit.treeGone = true
    return message
  }()

  @Test func `an exit is read, and forwarded it is the same to a client`() throws {
    let exit = try #require(try ExitMessage(Self.exit.serializedBytes()))
    #expect(exit.outcome == .signalled)
    #expect(exit.code == -1)
    #expect(exit.totals.map(\.stream) == [.stdout, .stderr])
    #expect(exit.totals.map(\.bytes) == [1 << 40, 1 << 40])
    let response = try Gatehouse_Tools_V1_InvokeResponse(serializedBytes: exit.bytes)
    #expect(response.exit == Self.exit.exit)
  }

  @Test func `an exit with an error text or without an outcome is left to a library`() throws {
    var message = Self.exit
    message.exit.error.message = "no"
    #expect(try ExitMessage(message.serializedBytes()) == nil)
    message = Self.exit
    message.exit.outcome = .unspecified
    #expect(try ExitMessage(message.serializedBytes()) == nil)
  }

  @Test func `an exit that is read means the same to SwiftProtobuf, whatever byte flips`() throws {
    let message: [UInt8] = try Self.exit.serializedBytes()
    for flipped in Self.mutations(of: message) {
      guard let exit = ExitMessage(flipped) else { continue }
      let decoded = try Gatehouse_Link_V1_CarryRequest(serializedBytes: flipped).exit
      #expect(decoded.outcome.rawValue == Int(exit.outcome.rawValue))
      #expect(decoded.code == exit.code)
      #expect(
        decoded.totals.map { UInt8(clamping: $0.stream.rawValue) }
          == exit.totals.map(\.stream.rawValue)
      )
      #expect(decoded.totals.map(\.bytes) == exit.totals.map(\.bytes))
      #expect(try Gatehouse_Tools_V1_FollowResponse(serializedBytes: flipped).exit == decoded)
    }
  }

  /// Each bit flipped, and each length cut.
  private static func mutations(of message: [UInt8]) -> [[UInt8]] {
    let flips = message.indices.flatMap { index in
      (0..<8).map { bit in
        var flipped = message
        flipped[index] ^= 1 << UInt8(bit)
        return flipped
      }
    }
    return flips + message.indices.map { Array(message.prefix($0)) }
  }
}
