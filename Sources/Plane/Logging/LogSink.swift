internal import EventLoop
internal import Host
internal import LogLines
internal import Synchronization

/// Where the log's lines go: written by a thread of its own, since whoever reads the log may be slow
/// and a loop must not wait for it.
///
/// Bounded: when so much waits, further lines are dropped and counted, and the count is logged.
final class LogSink: Sendable {
  private let write: @Sendable ([UInt8]) -> Void
  private let maxWaiting: Int
  private let writer = WorkerPool(name: "log", threads: 1)
  private let state = Mutex(State())

  private struct State {
    var waiting: [@Sendable () -> String] = []
    var dropped = 0
    /// The writer runs, or is about to.
    var isWriting = false
  }

  static let standardError = LogSink { StandardError.write($0) }

  init(maxWaiting: Int = 8_192, _ write: @escaping @Sendable ([UInt8]) -> Void) {
    self.maxWaiting = maxWaiting
    self.write = write
  }

  /// Takes a line that is yet to be made, on the writer's thread.
  func add(_ line: @escaping @Sendable () -> String) {
    let mustStart = state.withLock { state in
      guard state.waiting.count < maxWaiting else {
        state.dropped += 1
        return false
      }
      state.waiting.append(line)
      defer { state.isWriting = true }
      return !state.isWriting
    }
    guard mustStart else { return }
    // One at a time, so the pool's queue is never full.
    try? writer.submit { [self] in writeAll() }
  }

  private func writeAll() {
    while true {
      let (lines, dropped) = state.withLock { state in
        defer { (state.waiting, state.dropped) = ([], 0) }
        state.isWriting = !state.waiting.isEmpty
        return (state.waiting, state.dropped)
      }
      guard !lines.isEmpty else { return }
      var bytes: [UInt8] = []
      for line in lines { bytes += line().utf8 }
      if dropped > 0 { bytes += Self.notice(dropped).utf8 }
      write(bytes)
    }
  }

  private static func notice(_ dropped: Int) -> String {
    PlaneLog.format.line(
      LogRecord(
        time: ThisProcess.unixMilliseconds,
        level: .warning,
        event: "log_dropped",
        fields: [("lines", "\(dropped)")]
      )
    )
  }

  /// Waits until what was added is written, or until the time is over.
  func flush(within time: Duration) async {
    let end = ContinuousClock.now + time
    while state.withLock({ $0.isWriting }), ContinuousClock.now < end {
      try? await Task.sleep(for: .milliseconds(2))
    }
  }
}
