internal import EventLoop
internal import Synchronization

/// A client's call for code that waits: messages are taken one by one, and those not taken hold
/// the server back.
package final class ClientStream: Sendable {
  private let inbox: Inbox
  private let call: ClientCall

  fileprivate init(_ call: ClientCall, _ inbox: Inbox) {
    self.call = call
    self.inbox = inbox
  }

  /// Sends a message when there is room for it.
  ///
  /// Gives false when the call has ended: that is no failure of its own, since the server's last
  /// messages may still wait in `next`, which also says how the call ended.
  ///
  /// - Throws: `CancellationError` when the task was cancelled, which cancels the call too.
  @discardableResult
  package func send(_ message: [UInt8]) async throws -> Bool {
    let call = call
    do {
      try await withTaskCancellationHandler {
        try await call.connection.sendWhenRoom(message, on: call.id)
      } onCancel: {
        call.connection.loop.execute { call.cancel() }
      }
      return true
    } catch is RPCStatus {
      try Task.checkCancellation()
      return false
    }
  }

  package func halfClose() async { await call.connection.halfClose(call.id) }

  package func cancel() async { await call.connection.cancel(call.id) }

  /// The next message, or `nil` after the last one of a call that ended `OK`. One reader at a time.
  ///
  /// - Throws: the call's `RPCStatus`; `CancellationError` when the task was cancelled, which
  ///   cancels the call too.
  package func next() async throws -> [UInt8]? {
    let call = call
    let message: Inbox.Message?
    do {
      message = try await withTaskCancellationHandler {
        try await inbox.next()
      } onCancel: {
        call.connection.loop.execute { call.cancel() }
      }
    } catch {
      try Task.checkCancellation()
      throw error
    }
    if let message {
      call.connection.loop.execute { call.credit(message.credit) }
    } else {
      try Task.checkCancellation()
    }
    return message?.bytes
  }
}

extension Connection {
  /// Opens a call for code that waits.
  package func openStream(
    _ path: String,
    metadata: Metadata = Metadata(),
    timeout: Duration? = nil
  ) throws(RPCStatus) -> ClientStream {
    let inbox = Inbox()
    let call = try open(path, metadata: metadata, timeout: timeout) { inbox }
    return ClientStream(call, inbox)
  }
}

/// Between the loop, which puts messages in, and the one task that takes them out.
private final class Inbox: ClientHandler, Sendable {
  struct Message: Sendable {
    let bytes: [UInt8]
    let credit: Int
  }

  private struct State {
    var messages: [Message] = []
    var status: RPCStatus?
    var reader: CheckedContinuation<Message?, any Error>?
  }

  private let state = Mutex(State())

  func received(_ message: [UInt8], credit: Int, on call: ClientCall) {
    let message = Message(bytes: message, credit: credit)
    let reader = state.withLock { state -> CheckedContinuation<Message?, any Error>? in
      defer { state.reader = nil }
      if state.reader == nil { state.messages.append(message) }
      return state.reader
    }
    reader?.resume(returning: message)
  }

  func ended(_ status: RPCStatus, _ call: ClientCall) {
    let reader = state.withLock { state -> CheckedContinuation<Message?, any Error>? in
      state.status = status
      defer { state.reader = nil }
      return state.reader
    }
    guard let reader else { return }
    if status.isOK { reader.resume(returning: nil) } else { reader.resume(throwing: status) }
  }

  func next() async throws -> Message? {
    try await withCheckedThrowingContinuation { continuation in
      let result = state.withLock { state -> Result<Message?, any Error>? in
        if !state.messages.isEmpty { return .success(state.messages.removeFirst()) }
        if let status = state.status { return status.isOK ? .success(nil) : .failure(status) }
        precondition(state.reader == nil, "one reader at a time")
        state.reader = continuation
        return nil
      }
      if let result { continuation.resume(with: result) }
    }
  }
}
