internal import FoundationEssentials
internal import Logging
internal import Synchronization
internal import Testing

@testable internal import Plane

@Suite struct `A line of the log` {
  private func record(_ fields: [(key: String, value: String)]) -> LogRecord {
    LogRecord(time: 1_709_210_096_007, level: .info, event: "call_ended", fields: fields)
  }

  @Test func `is text for people`() {
    #expect(
      LogFormat.text.line(
        record([("call", "call_1"), ("reason", "a \"b\"\n\u{1B}[2J"), ("x", "")])
      )
        == "2024-02-29T12:34:56.007Z info    call_ended call=call_1 "
        + "reason=\"a \\\"b\\\"\\n\\u001b[2J\" x=\"\"\n"
    )
  }

  @Test func `is one JSON object for programs`() throws {
    let line = LogFormat.json.line(
      record([
        ("bytes", "12"), ("id", "0012"), ("reason", "a \"b\"\\\n\u{1B}ü"),
        ("big", "9007199254740993"),
      ])
    )
    #expect(line.hasSuffix("}\n"))
    #expect(line.count { $0 == "\n" } == 1)
    let object = try JSONDecoder().decode(Object.self, from: Data(line.utf8))
    #expect(object.time == "2024-02-29T12:34:56.007Z")
    #expect(object.level == "info")
    #expect(object.event == "call_ended")
    #expect(object.bytes == 12)
    #expect(object.id == "0012")
    #expect(object.big == "9007199254740993")
    #expect(object.reason == "a \"b\"\\\n\u{1B}ü")
  }

  private struct Object: Decodable {
    let time: String, level: String, event: String, bytes: Int, id: String, reason: String
    let big: String
  }

  @Test(arguments: [
    (UInt64(0), "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
    (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    (1_767_225_599_000, "2025-12-31T23:59:59.000Z"),
  ])
  func `has its time in RFC 3339`(milliseconds: UInt64, text: String) {
    #expect(Timestamp.text(milliseconds) == text)
  }
}

@Suite(.timeLimit(.minutes(1))) struct `The log's sink` {
  @Test func `writes in order, and says how much it dropped while its reader was stuck`() async {
    let written = Written()
    let sink = LogSink(maxWaiting: 3) { written.add($0) }
    written.block()
    sink.add { "0\n" }
    await written.isBlocked()
    for number in 1...10 { sink.add { "\(number)\n" } }
    written.unblock()
    await sink.flush(within: .seconds(10))
    let lines = written.text.split(separator: "\n").map(String.init)
    #expect(lines.prefix(4) == ["0", "1", "2", "3"])
    #expect(lines.count == 5)
    #expect(lines.last?.contains("log_dropped") == true)
    #expect(lines.last?.contains("7") == true)
  }
}

/// What a sink wrote, by a writer that can be made to wait.
private final class Written: Sendable {
  private let state = Mutex((text: "", isStuck: false, isWaiting: false))

  var text: String { state.withLock { $0.text } }

  func block() { state.withLock { $0.isStuck = true } }

  func unblock() { state.withLock { $0.isStuck = false } }

  func isBlocked() async { while !state.withLock({ $0.isWaiting }) { await Task.yield() } }

  func add(_ bytes: [UInt8]) {
    while state.withLock({ state in
      state.isWaiting = state.isStuck
      return state.isStuck
    }) {}
    state.withLock { $0.text += String(decoding: bytes, as: UTF8.self) }
  }
}

@Suite struct `The throttle of refusals` {
  @Test func `lets so many through in a second, and counts the rest`() {
    let throttle = LogThrottle()
    let start = ContinuousClock.now
    for _ in 0..<LogThrottle.linesPerSecond {
      #expect(throttle.allows("a", at: start) == .yes(suppressed: 0))
    }
    for _ in 0..<5 { #expect(throttle.allows("a", at: start + .milliseconds(999)) == .no) }
    #expect(throttle.allows("b", at: start) == .yes(suppressed: 0))
    #expect(throttle.allows("a", at: start + .seconds(1)) == .yes(suppressed: 5))
    #expect(throttle.allows("a", at: start + .seconds(1)) == .yes(suppressed: 0))
  }
}
