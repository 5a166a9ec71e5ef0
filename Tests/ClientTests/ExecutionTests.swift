import Crypto
import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@testable import Client

@Suite struct ExecutionTests {
  private static func chunk(_ offset: UInt64, _ text: String) -> Gatehouse_Tools_V1_Chunk {
    .with {
      $0.stream = .stdout
      $0.offset = offset
      $0.data = Data(text.utf8)
    }
  }

  private static func total(_ text: String) -> Gatehouse_Tools_V1_StreamTotal {
    var hash = SHA256()
    hash.update(Array(text.utf8).span)
    let digest = hash.finalize()
    return .with {
      $0.stream = .stdout
      $0.bytes = UInt64(text.utf8.count)
      $0.sha256 = Data(digest)
    }
  }

  @Test func `output that came whole agrees with the daemon's count`() async throws {
    let sink = OutputSink { _, _ in }
    _ = try await sink.take(Self.chunk(0, "ab"))
    _ = try await sink.take(Self.chunk(2, "cd"))
    try await sink.check([Self.total("abcd")])
  }

  @Test(arguments: ["abcde", "abxd"])
  func `output that differs is told`(text: String) async throws {
    let sink = OutputSink { _, _ in }
    _ = try await sink.take(Self.chunk(0, "abcd"))
    await #expect(throws: ClientError.self) { try await sink.check([Self.total(text)]) }
  }

  @Test(arguments: [1, 3])
  func `a chunk at a wrong position is refused`(offset: UInt64) async throws {
    let sink = OutputSink { _, _ in }
    _ = try await sink.take(Self.chunk(0, "ab"))
    await #expect(throws: ClientError.self) { try await sink.take(Self.chunk(offset, "cd")) }
  }

  @Test func `output is acknowledged in steps`() async throws {
    let sink = OutputSink { _, _ in }
    #expect(try await sink.take(Self.chunk(0, "ab")) == nil)
    let ack = try await sink.take(Self.chunk(2, String(repeating: "x", count: 65_536)))
    #expect(ack?.offsets.map(\.offset) == [65_538])
  }

  @Test(.timeLimit(.minutes(1)))
  func `input waits until the command has taken some`() async {
    let window = InputWindow()
    #expect(await window.waitForRoom())
    #expect(await window.advance(by: 128 * 1024) == 0)
    async let room = window.waitForRoom()
    await window.acknowledge(before: 1)
    #expect(await room)
    #expect(await window.position == 128 * 1024)
  }

  @Test(.timeLimit(.minutes(1)))
  func `input ends with the command`() async {
    let window = InputWindow()
    _ = await window.advance(by: 1 << 20)
    async let room = window.waitForRoom()
    await window.close()
    #expect(await room == false)
  }
}
