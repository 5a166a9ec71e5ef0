internal import Calls
internal import FoundationEssentials
internal import SwiftProtobuf
internal import Wire

/// What the broker's walks take, a protobuf library reads the same way: the message is forwarded to
/// programs that use one.
enum ChunkInput {
  static func run(_ input: [UInt8]) {
    for direction: CallStream.Direction in [.fromTool, .toTool] { checkChunk(input, direction) }
    checkExit(input)
    checkStart(input)
  }

  private static func checkChunk(_ message: [UInt8], _ direction: CallStream.Direction) {
    guard let chunk = try? Chunk(message: message, direction: direction) else { return }
    require((1...Chunk.maxData).contains(chunk.data.count), "a chunk of \(chunk.data.count) bytes")
    require(chunk.stream.direction == direction, "a chunk that goes the other way")
    let request = try? Gatehouse_Link_V1_CarryRequest(serializedBytes: message)
    guard case .chunk(let twin) = request?.message else {
      preconditionFailure("a chunk for us alone")
    }
    require(twin.stream.rawValue == Int(chunk.stream.rawValue), "another stream")
    require(twin.offset == chunk.offset, "another offset")
    require(Array(twin.data) == Array(message[chunk.data]), "other bytes")
    var log = CallLog(window: 0)
    if direction == .fromTool, chunk.offset == 0 {
      require((try? log.append(message, chunk, cost: message.count)) != nil, "no place in a log")
    }
    let half = chunk.offset + UInt64(chunk.data.count / 2)
    let rest = chunk.suffix(of: message, from: half)
    require((try? Chunk(message: rest, direction: direction))?.end == chunk.end, "a broken suffix")
  }

  private static func checkExit(_ message: [UInt8]) {
    guard let exit = ExitMessage(message) else { return }
    let request = try? Gatehouse_Link_V1_CarryRequest(serializedBytes: message)
    guard case .exit(let twin) = request?.message else {
      preconditionFailure("an exit for us alone")
    }
    require(twin.outcome.rawValue == Int(exit.outcome.rawValue), "another outcome")
    require(twin.code == exit.code, "another code")
  }

  private static func checkStart(_ message: [UInt8]) {
    guard let start = StartMessage(message) else { return }
    let request = try? Gatehouse_Tools_V1_InvokeRequest(serializedBytes: message)
    guard case .start(let twin) = request?.message else {
      preconditionFailure("a start for us alone")
    }
    require(twin.workspace == start.workspace && twin.tool == start.tool, "other names")
    require(Array(twin.request) == start.request, "another request")
    require(twin.timeoutMs == start.timeout, "another timeout")
    require(twin.idempotencyKey == start.idempotencyKey, "another key")
    require(twin.detach == start.detaches, "another detach")
    require(twin.acknowledges == start.acknowledges, "another acknowledges")
  }
}
