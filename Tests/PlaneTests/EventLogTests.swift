internal import Broker
internal import FoundationEssentials
internal import LogLines
internal import RPC
internal import Synchronization
internal import Testing

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `The log of events` {
  /// What events are written as, at a level.
  private func lines(
    at level: LogLevel = .info,
    _ body: (EventLog) -> Void
  ) async -> [String] {
    let written = Mutex("")
    let sink = LogSink { bytes in
      written.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
    }
    body(EventLog(sink: sink) { $0 >= level })
    await sink.flush(within: .seconds(10))
    return written.withLock { $0 }.split(separator: "\n").map(String.init)
  }

  private let stranger = Peer(address: "127.0.0.1:1")

  @Test func `a refusal names method, peer and reason`() async throws {
    let status = RPCStatus(.unauthenticated, "no client certificate was sent")
    let refusal = ServerEvent.refused(stranger, path: "/a.B/C", status)
    let lines = await self.lines { $0.record(refusal, on: "open") }
    #expect(lines.count == 1)
    let line = try #require(lines.first)
    for part in ["refused", "/a.B/C", "127.0.0.1:1", "open", "UNAUTHENTICATED: no client cert"] {
      #expect(line.contains(part))
    }
  }

  @Test func `a scan of the port is seen at debug only`() async {
    let scan = ServerEvent.handshakeFailed(peer: "127.0.0.1:1", .closedByPeer, "closed")
    #expect(await lines { $0.record(scan, on: "mutual") }.isEmpty)
    #expect(await lines(at: .debug) { $0.record(scan, on: "mutual") }.count == 1)
  }

  @Test func `a flood of refusals does not fill the log`() async {
    let lines = await self.lines { log in
      for _ in 0..<1_000 {
        log.record(.refused(stranger, path: "/a.B/C", RPCStatus(.unimplemented)), on: "open")
      }
    }
    #expect(lines.count <= 2 * LogThrottle.linesPerSecond)
    #expect(!lines.isEmpty)
  }
}
