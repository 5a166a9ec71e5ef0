import Calls
import FoundationEssentials
import SwiftProtobuf
import Testing
import Wire

@testable import Broker

@Suite struct PollPageTests {
  private func call() throws -> Call {
    var options = BrokerOptions()
    options.logWindow = 64 << 20
    return Call(
      id: "call_1",
      workspace: WorkspaceEntry(id: "ws_one", name: "one"),
      order: CallOrder(principal: .test("ann"), workspace: "one", tool: "t", request: []),
      digest: [],
      deadline: .now,
      created: 0,
      began: .now,
      options: options
    )
  }

  /// A message has at most 1 MiB, whatever it is made of.
  @Test(arguments: [1, 10, 30_000]) func `a page of small chunks fits in a message`(
    size: Int
  ) async throws {
    let call = try call()
    let data = [UInt8](repeating: 7, count: size)
    for index in 0..<(3_000_000 / (size + 20)) {
      let message = Chunk.message(stream: .stdout, offset: UInt64(index * size), data: data[...])
      let chunk = try Chunk(message: message, direction: .fromTool)
      try call.log.append(message, chunk, cost: 0)
    }
    var request = Gatehouse_Tools_V1_PollRequest()
    request.maxBytes = .max
    var page = PollPage(request)
    await page.fill(from: call)
    #expect(!page.response.chunks.isEmpty)
    #expect(try page.response.serializedData().count < 1 << 20)
  }

  @Test func `a page of gaps fits in a message`() async throws {
    let call = try call()
    for index in 0..<200_000 {
      let stream: CallStream = index % 2 == 0 ? .stdout : .stderr
      try call.log.append(
        LostBytes(stream: stream, offset: UInt64(index / 2), count: 1),
        cost: 0
      )
    }
    var page = PollPage(Gatehouse_Tools_V1_PollRequest())
    await page.fill(from: call)
    #expect(!page.response.gaps.isEmpty)
    #expect(try page.response.serializedData().count < 1 << 20)
  }
}
