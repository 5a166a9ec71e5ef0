import Crypto
import Dispatch
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

  /// The plane lets go of what came in its order: a little of one stream would hold all of another.
  @Test func `an acknowledgement names every stream`() async throws {
    let sink = OutputSink { _, _ in }
    var complaint = Self.chunk(0, "oh")
    complaint.stream = .stderr
    #expect(try await sink.take(complaint) == nil)
    let ack = try await sink.take(Self.chunk(0, String(repeating: "x", count: 65_536)))
    let offsets = try #require(ack).offsets.map { [$0.stream.rawValue, Int($0.offset)] }
    #expect(Set(offsets) == [[2, 65_536], [3, 2]])
  }

  /// Each costs the daemon credit for its envelope.
  @Test func `tiny messages are acknowledged long before their bytes are many`() async throws {
    let sink = OutputSink { _, _ in }
    var acknowledged: UInt64 = 0
    for position in 0..<4096 as Range<UInt64> {
      let ack = try await sink.take(Self.chunk(position, "."))
      acknowledged = ack?.offsets.first?.offset ?? acknowledged
    }
    #expect(acknowledged > 1024)
  }

  @Test func `without a digest the count must agree`() async throws {
    let sink = OutputSink { _, _ in }
    _ = try await sink.take(Self.chunk(0, "abcd"))
    var total = Self.total("abcd")
    total.sha256 = Data()
    try await sink.check([total])
    total.bytes = 5
    let wrong = total
    await #expect(throws: ClientError.self) { try await sink.check([wrong]) }
  }

  @Test(arguments: [0, 2, UInt64.max])
  func `a gap at a wrong position or without an end is refused`(offset: UInt64) async throws {
    let sink = OutputSink { _, _ in }
    _ = try await sink.take(Self.chunk(0, "a"))
    let gap = Gatehouse_Tools_V1_Gap.with {
      $0.stream = .stdout
      $0.offset = offset
      $0.length = 1
    }
    await #expect(throws: ClientError.self) { try await sink.skip(gap) }
    let endless = Gatehouse_Tools_V1_Gap.with {
      $0.stream = .stdout
      $0.offset = 1
      $0.length = .max
    }
    await #expect(throws: ClientError.self) { try await sink.skip(endless) }
  }

  @Test(.timeLimit(.minutes(5)))
  func `a write that waits for a reader does not hold a task that is cancelled`() async throws {
    let (started, release) = (AsyncValue<Void>(), DispatchSemaphore(value: 0))
    let sink = OutputSink { _, _ in
      started.set(())
      release.wait()
    }
    let task = Task { try await sink.take(Self.chunk(0, "ab")) }
    try await started.value
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    release.signal()
  }
}

@Suite(.timeLimit(.minutes(5))) struct InputWindowTests {
  @Test func `input waits until the command has taken some`() async {
    let window = InputWindow()
    #expect(await window.waitForRoom())
    window.add([UInt8](repeating: 0, count: 128 * 1024))
    async let room = window.waitForRoom()
    window.acknowledge(before: 1)
    #expect(await room)
  }

  @Test func `what the command has not taken is sent again on another stream`() async throws {
    let window = InputWindow()
    window.add([1, 2])
    window.add([3])
    window.finish()
    window.attach(1)
    var sent: [InputWindow.Item] = []
    for _ in 0..<3 { sent.append(try #require(await window.next()).item) }
    #expect(sent == [.chunk(offset: 0, [1, 2]), .chunk(offset: 2, [3]), .end(at: 3)])
    window.acknowledge(before: 2)
    window.detach(1)
    window.attach(2)
    let again = try #require(await window.next())
    #expect(again.stream == 2 && again.item == .chunk(offset: 2, [3]))
    #expect(await window.next()?.item == .end(at: 3))
    window.close()
    #expect(await window.next() == nil)
  }

  @Test func `between streams nothing is sent`() async throws {
    let window = InputWindow()
    window.attach(1)
    window.detach(1)
    window.add([1])
    async let item = window.next()
    window.attach(2)
    #expect(try #require(await item).stream == 2)
  }

  @Test func `input ends with the command`() async {
    let window = InputWindow()
    window.add([UInt8](repeating: 0, count: 1 << 20))
    async let room = window.waitForRoom()
    window.close()
    #expect(await room == false)
  }

  @Test func `a task that is cancelled waits for no room`() async {
    let window = InputWindow()
    window.add([UInt8](repeating: 0, count: 1 << 20))
    let task = Task { await window.waitForRoom() }
    task.cancel()
    #expect(await task.value == false)
  }
}

@Suite(.timeLimit(.minutes(5))) struct AsyncValueTests {
  @Test func `all who wait get the value, and who comes later too`() async throws {
    let later = AsyncValue<Int>()
    async let (first, second) = (later.value, later.value)
    later.set(1)
    later.set(2)
    let all = try await [first, second, later.value]
    #expect(all == [1, 1, 1])
    #expect(later.current == 1)
  }

  @Test func `a task that is cancelled waits no longer, and the others do`() async throws {
    let later = AsyncValue<Int>()
    let cancelled = Task { try await later.value }
    async let other = later.value
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    later.set(1)
    #expect(try await other == 1)
  }
}
