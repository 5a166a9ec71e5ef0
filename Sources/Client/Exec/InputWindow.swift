/// How much standard input may be on its way: it and our acknowledgements of output share a stream,
/// and input that the command doesn't take must leave room for them.
actor InputWindow {
  /// Half of what the plane takes before it holds a stream back.
  private static let limit: UInt64 = 128 * 1024

  private var sent: UInt64 = 0
  private var taken: UInt64 = 0
  private var waiter: CheckedContinuation<Void, Never>?
  private var isClosed = false

  /// Waits until some may be sent.
  ///
  /// - Returns: false when no more is wanted.
  func waitForRoom() async -> Bool {
    while sent - taken >= Self.limit, !isClosed {
      await withCheckedContinuation { waiter = $0 }
    }
    return !isClosed
  }

  /// - Returns: the position of the first byte of the `count` that go now.
  func advance(by count: Int) -> UInt64 {
    defer { sent += UInt64(count) }
    return sent
  }

  var position: UInt64 { sent }

  func acknowledge(before offset: UInt64) {
    taken = min(max(taken, offset), sent)
    wake()
  }

  /// The command is over.
  func close() {
    isClosed = true
    wake()
  }

  private func wake() {
    waiter?.resume()
    waiter = nil
  }
}
