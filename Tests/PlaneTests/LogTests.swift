internal import Synchronization
internal import Testing

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `The log's sink` {
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
