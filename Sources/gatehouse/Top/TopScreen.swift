internal import Client
internal import Console
internal import EventLoop

/// `top` on a terminal: the other screen, a new page each interval, and one at each key or change of
/// size; the terminal is as it was when it ends, however it ends.
struct TopScreen {
  let interval: Duration
  let plane: PlaneClient
  let view: () -> TopView

  /// What wakes it.
  private enum Event { case tick, redraw, quit }

  func run() async throws {
    let mode = try Terminal.makeRaw()
    defer {
      // Cursor on, the first screen again.
      try? StandardStream.output.write(Array("\u{1B}[?25h\u{1B}[?1049l".utf8))
      mode.restore()
    }
    try DataOutput.write("\u{1B}[?1049h\u{1B}[?25l")
    try await watch()
  }

  private func watch() async throws {
    let keys = StandardInput()
    // Work that waits is lost with its pool, so the pool is kept to the end.
    let reader = WorkerPool(name: "keys", threads: 1)
    let (events, send) = AsyncStream<Event>.makeStream(bufferingPolicy: .bufferingNewest(16))
    defer {
      keys.stop()
      reader.close()
      send.finish()
    }
    let signals = Signals.watch([
      Signals.terminate, Signals.hangUp, Signals.interrupt, Signals.windowChanged,
    ])
    // All three end with this method: the tasks are cancelled, the reader is stopped.
    let listener = Task { for await number in signals { send.yield(Self.event(for: number)) } }
    let clock = Task { [interval] in
      while true {
        try await Task.sleep(for: interval)
        send.yield(.tick)
      }
    }
    defer {
      listener.cancel()
      clock.cancel()
    }
    try reader.submit {
      while let bytes = keys.read(limit: 64) { send.yield(Self.event(for: bytes)) }
      send.yield(.quit)
    }

    var (before, sample): (TopSample?, TopSample) = (nil, try await TopSample.take(plane))
    try draw(sample, before)
    for await event in events {
      switch event {
      case .quit: return
      case .redraw: break
      case .tick: (before, sample) = (sample, try await TopSample.take(plane))
      }
      try draw(sample, before)
    }
  }

  private func draw(_ sample: TopSample, _ before: TopSample?) throws {
    let size = Terminal.size
    let lines = view().lines(
      sample,
      before: before,
      columns: size?.columns ?? 80,
      rows: size?.rows ?? 24
    )
    // Home, each line to its end, then what is left below: no flicker, as a clear would give.
    let page = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
    try DataOutput.write("\u{1B}[H" + page + "\u{1B}[J")
  }

  private static func event(for signal: Int32) -> Event {
    signal == Signals.windowChanged ? .redraw : .quit
  }

  /// q, Q, Ctrl-C and Ctrl-D end it.
  private static func event(for keys: [UInt8]) -> Event {
    keys.contains { [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3, 4].contains($0) }
      ? .quit : .redraw
  }
}
