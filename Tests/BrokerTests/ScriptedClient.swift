import Calls
import FoundationEssentials
import RPC
import SwiftProtobuf
import Testing
import Wire

/// A client of `Tools` that reads as a transcript.
struct ScriptedClient {
  let connection: Connection

  /// Starts a call; nothing is read yet.
  func start(
    in workspace: String = "one",
    request: [UInt8] = [1, 2, 3],
    _ change: (inout Gatehouse_Tools_V1_InvokeStart) -> Void = { _ in }
  ) async throws -> ScriptedCall {
    let stream = try await connection.openStream("/gatehouse.tools.v1.Tools/Invoke")
    var message = Gatehouse_Tools_V1_InvokeRequest()
    message.start.workspace = workspace
    message.start.tool = "process.exec"
    message.start.request = Data(request)
    change(&message.start)
    try await stream.send(message.serializedBytes())
    return ScriptedCall(stream: stream)
  }

  func follow(_ id: String, from position: UInt64 = 0) async throws -> ScriptedCall {
    let stream = try await connection.openStream("/gatehouse.tools.v1.Tools/Follow")
    var request = Gatehouse_Tools_V1_FollowRequest()
    request.callID = id
    request.from = [offset(.stdout, position)]
    try await stream.send(request.serializedBytes())
    await stream.halfClose()
    return ScriptedCall(stream: stream)
  }

  func unary<Request: Message, Response: Message>(
    _ method: String,
    _ request: Request,
    as response: Response.Type = Response.self
  ) async throws -> Response {
    let answer = try await connection.unary(
      "/gatehouse.tools.v1.Tools/\(method)",
      request.serializedBytes()
    )
    return try Response(serializedBytes: answer)
  }
}

struct ScriptedCall {
  let stream: ClientStream

  func next() async throws -> Gatehouse_Tools_V1_InvokeResponse {
    try Gatehouse_Tools_V1_InvokeResponse(serializedBytes: #require(await stream.next()))
  }

  func expectAccepted() async throws -> Gatehouse_Tools_V1_Accepted {
    let message = try await next()
    guard case .accepted(let accepted) = message.message else {
      throw Unexpected(what: "\(message)")
    }
    return accepted
  }

  /// Reads until that much of stdout is there, and checks that each byte follows on the one before.
  func readOutput(_ count: Int, from start: UInt64 = 0) async throws -> [UInt8] {
    var output: [UInt8] = []
    while output.count < count {
      guard case .chunk(let chunk) = try await next().message else { continue }
      #expect(chunk.offset == start + UInt64(output.count))
      output += chunk.data
    }
    return output
  }

  func expectExit() async throws -> Gatehouse_Tools_V1_Exit {
    while true {
      guard case .exit(let exit) = try await next().message else { continue }
      #expect(try await stream.next() == nil)
      return exit
    }
  }

  func send(_ build: (inout Gatehouse_Tools_V1_InvokeRequest) -> Void) async throws {
    var message = Gatehouse_Tools_V1_InvokeRequest()
    build(&message)
    try await stream.send(message.serializedBytes())
  }
}

func pattern(_ range: Range<Int>) -> [UInt8] {
  range.map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}
