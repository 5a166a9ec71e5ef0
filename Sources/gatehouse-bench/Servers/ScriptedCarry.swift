internal import Calls
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// One call of the scripted daemon: its `Carry` stream.
///
/// Why @unchecked: it is made, called and stopped on its connection's loop.
final class ScriptedCarry: ClientHandler, @unchecked Sendable {
  /// What it puts out, or nil: the byte pattern.
  private let output: [UInt8]?
  private var count: Int
  private var sent = 0
  private var isOver = false

  init(echoing request: [UInt8]) {
    output = request
    count = request.count
  }

  /// `request` says in decimal how many.
  init(bytesOf request: [UInt8]) {
    output = nil
    count = Int(String(decoding: request, as: UTF8.self)) ?? 0
  }

  /// Says that the call is here; its output follows once the stream hears of room.
  static func begin(_ call: ClientCall) {
    send(to: call) { $0.opened = Gatehouse_Link_V1_Opened() }
    call.notifyWhenDrained()
  }

  /// Its owner wants no more.
  func stop(_ call: ClientCall) {
    count = sent
    drained(call)
  }

  func drained(_ call: ClientCall) {
    guard !isOver else { return }
    while sent < count, call.queuedBytes < 4 * BytePattern.chunkBytes {
      let size = min(BytePattern.chunkBytes, count - sent)
      let data = output?[sent..<sent + size] ?? BytePattern.bytes(from: sent, count: size)
      call.send(Chunk.message(stream: .stdout, offset: UInt64(sent), data: data))
      sent += size
    }
    guard sent == count else { return call.notifyWhenDrained() }
    isOver = true
    Self.send(to: call) { request in
      request.exit.outcome = .exited
      request.exit.totals = [Self.total(of: count)]
    }
    call.halfClose()
  }

  func received(_ message: [UInt8], credit: Int, on call: ClientCall) { call.credit(credit) }

  func ended(_ status: RPCStatus, _ call: ClientCall) {
    if !status.isOK { Progress.say("a call's stream ended: \(status)") }
  }

  private static func total(of count: Int) -> Gatehouse_Tools_V1_StreamTotal {
    var total = Gatehouse_Tools_V1_StreamTotal()
    total.stream = .stdout
    total.bytes = UInt64(count)
    return total
  }

  private static func send(
    to call: ClientCall,
    _ build: (inout Gatehouse_Link_V1_CarryRequest) -> Void
  ) {
    var request = Gatehouse_Link_V1_CarryRequest()
    build(&request)
    guard let bytes: [UInt8] = try? request.serializedBytes() else { return }
    call.send(bytes)
  }
}
