internal import Calls
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// A call of the scripted daemon that gives each piece of input back as output at once.
final class ScriptedPong: ClientHandler {
  private var sent = 0

  func received(_ message: [UInt8], credit: Int, on call: ClientCall) {
    call.credit(credit)
    guard let response = try? Gatehouse_Link_V1_CarryResponse(serializedBytes: message),
      case .chunk(let chunk) = response.message
    else { return }
    call.send(Chunk.message(stream: .stdout, offset: UInt64(sent), data: Array(chunk.data)[...]))
    sent += chunk.data.count
  }

  func ended(_ status: RPCStatus, _ call: ClientCall) {}
}
