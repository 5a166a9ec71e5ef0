internal import RPC
internal import SwiftProtobuf
internal import Synchronization
internal import Wire

/// The stream that carries an execution now; another takes its place when it is cut.
final class ExecutionLink: Sendable {
  struct Now: Sendable {
    let client: PlaneClient
    let stream: ClientStream
    /// Counts the streams.
    let number: Int
  }

  private struct State {
    var now: Now
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>
  /// Not ours to close: whoever made it does.
  private let first: PlaneClient

  init(_ client: PlaneClient, _ stream: ClientStream, first: PlaneClient) {
    self.first = first
    state = Mutex(State(now: Now(client: client, stream: stream, number: 1)))
  }

  var now: Now { state.withLock { $0.now } }

  /// Sends a message, unless another stream has come. Gives false when it was not sent.
  func send(_ message: [UInt8], on number: Int? = nil) async throws -> Bool {
    let now = now
    guard number == nil || number == now.number else { return false }
    return try await now.stream.send(message)
  }

  /// Goes on with another stream.
  ///
  /// - Returns: the one before, to be closed, and the new one's number.
  func replace(_ client: PlaneClient, _ stream: ClientStream) -> (old: Now, number: Int) {
    let (old, waiters) = state.withLock { state in
      let old = state.now
      state.now = Now(client: client, stream: stream, number: old.number + 1)
      defer { state.waiters = [] }
      return (old, state.waiters)
    }
    for waiter in waiters { waiter.resume() }
    return (old, old.number + 1)
  }

  /// Waits until there is a stream behind the one with this number, or the task is cancelled.
  func waitForOther(than number: Int) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isThere = state.withLock { state in
          if state.now.number != number || Task.isCancelled { return true }
          state.waiters.append(continuation)
          return false
        }
        if isThere { continuation.resume() }
      }
    } onCancel: {
      let waiters = state.withLock { state in
        defer { state.waiters = [] }
        return state.waiters
      }
      for waiter in waiters { waiter.resume() }
    }
  }

  /// Closes the connection that was made in place of the first.
  func close() async { await close(now) }

  func close(_ old: Now) async {
    if old.client != first { await old.client.close() }
  }
}
