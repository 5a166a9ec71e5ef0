package import Calls
internal import EventLoop
internal import RPC
package import Wire
internal import FoundationEssentials

/// A call owned by a task of this process: what it says, and what it is told.
///
/// Output is taken as it is read, and a reader that stops holds the tool back. Whoever has one reads
/// it to the end, or calls `leave`.
package actor Invocation {
  package nonisolated let callID: String
  /// SHA-256 of tool and request; see `RequestDigest`.
  package nonisolated let digest: [UInt8]
  /// The idempotency key named a call there already was.
  package nonisolated let isRepeated: Bool
  package nonisolated var unownedExecutor: UnownedSerialExecutor { board.loop.executor }

  private nonisolated let board: Switchboard
  private let call: Call
  private var cursor = CallLog.Cursor()
  private var isOver = false

  init(_ board: Switchboard, _ call: Call, isRepeated: Bool) {
    self.board = board
    self.call = call
    self.isRepeated = isRepeated
    callID = call.id
    digest = call.digest
  }

  package enum Event: Sendable {
    case output(CallStream, offset: UInt64, [UInt8])
    /// Bytes that are lost.
    case gap(LostBytes)
    /// The last one.
    case exit(Gatehouse_Tools_V1_Exit)
  }

  /// The next event, nil behind the exit. One reader at a time.
  ///
  /// - Throws: `CancellationError` when the task was cancelled; the call goes on, so that one can
  ///   `cancel` it and read how it ended.
  package func next() async throws -> Event? {
    let (call, loop) = (call, board.loop)
    while !isOver {
      let seen = call.announcements
      if let event = await read() { return event }
      try Task.checkCancellation()
      await withTaskCancellationHandler {
        // Named, so that it stays on the loop: a closure that holds no actor runs on any thread.
        await self.waitForNews(after: seen)
      } onCancel: {
        loop.execute { call.wakeWaiters() }
      }
    }
    return nil
  }

  /// What happened on the way here counts.
  private func waitForNews(after seen: Int) async {
    await call.news(after: seen, within: nil, on: board.loop)
  }

  /// Whether a daemon runs it now, and if not, why: for people who wait.
  package func state() -> Gatehouse_Tools_V1_CallState { call.machine.state.wire }

  /// Writes to the tool's standard input. At most 256 KiB wait for the tool to take them.
  ///
  /// - Throws: `OUT_OF_RANGE` beyond that, or behind `closeInput`.
  package func write(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = rest.prefix(Chunk.maxData)
      let message = Chunk.message(stream: .stdin, offset: call.stdin.end, data: part)
      do {
        let chunk = try Chunk(message: message, direction: .toTool)
        _ = try call.stdin.append(message, chunk, cost: 0)
      } catch {
        throw RPCStatus(.outOfRange, "call \(callID) takes no more input now: \(error)")
      }
      rest = rest.dropFirst(part.count)
    }
    call.carry?.pump()
  }

  /// Says that no more input comes.
  package func closeInput() {
    // The length is its own, so it cannot be refused.
    try? call.stdin.close(at: call.stdin.end)
    call.carry?.pump()
  }

  /// The number of the record of its intent; 0 while there is none, or nothing keeps records.
  package func intent() -> UInt64 { call.intent ?? 0 }

  /// Sends a signal to the tool: a Linux number, 1…64.
  package func signal(_ number: Int32) throws { try board.signal(number, call) }

  /// Asks for the call's end; the exit says how it really ended.
  package func cancel() { board.cancel(call, by: call.order.principal, "its task was stopped") }

  /// Stops reading for good: the call goes on if it is detached, and is cancelled otherwise.
  package func leave() {
    guard !isOver else { return }
    isOver = true
    call.hasLocalOwner = false
    board.ownerLeft(call)
  }

  private func read() async -> Event? {
    var reading = cursor
    let item = await call.next(&reading)
    cursor = reading
    guard let item else { return end() }
    board.taken(call.log.take(passedBy: cursor), of: call)
    switch item {
    case .gap(let gap): return .gap(gap)
    case .message(let message, let chunk):
      return .output(chunk.stream, offset: chunk.offset, Array(message[chunk.data]))
    }
  }

  private func end() -> Event? {
    guard call.machine.isEnded, let end = call.end else { return nil }
    isOver = true
    call.hasLocalOwner = false
    board.letGo(call)
    return .exit(end.exit)
  }
}
