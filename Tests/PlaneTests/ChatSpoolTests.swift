internal import FoundationEssentials
internal import Host
internal import SwiftProtobuf
internal import Testing
internal import Wire

@testable internal import Plane

@Suite struct `The spool of a chat` {
  @Test func `ends where something cannot be`() throws {
    let state = try TemporaryState()
    let owner = try JSONDecoder().decode(
      WorkspaceRecord.Owner.self,
      from: Data(#"{"id": "spiffe://test/user/ann", "issuerPin": ""}"#.utf8)
    )
    let header = ChatSpool.Header(
      chat: "chat_1",
      owner: owner,
      workspace: "ws_1",
      model: "script",
      prompt: "p",
      created: 1
    )
    let spool = try ChatSpool.begin(header, in: state.folder)
    for (sequence, offset) in [(1, UInt64(5)), (2, .max - 1)] {
      try spool.append(
        .with {
          $0.sequence = UInt64(sequence)
          $0.toolOutput = .with {
            $0.offset = offset
            $0.data = Data([1, 2, 3])
          }
        }
      )
    }
    let found = try #require(try ChatSpool.read("chat_1", in: state.folder))
    #expect(found.header == header)
    #expect(found.events.map(\.toolOutput.offset) == [5])
  }
}
