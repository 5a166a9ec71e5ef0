/// One call's server half, as a state machine that the connection calls on its loop.
///
/// Made by a `Service` when the call's headers arrive. After `ended` nothing comes any more.
package protocol ServerHandler: AnyObject {
  /// A message arrived. Its `credit` bytes must be given back by `call.credit` once they are
  /// taken; until then they count against the stream's window.
  func received(_ message: [UInt8], credit: Int, on call: ServerCall)
  /// The next message came compressed: it is inflated by now.
  func receivedCompressed(on call: ServerCall)
  /// What the client sends cannot be taken, and would not be if it came again: a message above the
  /// limit, one that is cut, one in an encoding that was not agreed. `ended` follows.
  func violated(_ status: RPCStatus, on call: ServerCall)
  /// The client sent its last message.
  func halfClosed(_ call: ServerCall)
  /// The queue fell below its low mark; asked for by `call.notifyWhenDrained`.
  func drained(_ call: ServerCall)
  /// The call is over, and how: `ok` when our own `finish` was sent, else why not.
  func ended(_ status: RPCStatus, _ call: ServerCall)
}

/// One call's client half, as a state machine that the connection calls on its loop.
package protocol ClientHandler: AnyObject {
  /// The server's initial metadata. Does not come for a call that fails at once.
  func receivedMetadata(_ metadata: Metadata, on call: ClientCall)
  /// As for `ServerHandler`.
  func received(_ message: [UInt8], credit: Int, on call: ClientCall)
  func receivedCompressed(on call: ClientCall)
  func drained(_ call: ClientCall)
  /// The call is over; the last thing that comes. `status.trailers` has the server's.
  func ended(_ status: RPCStatus, _ call: ClientCall)
}

extension ServerHandler {
  package func receivedCompressed(on call: ServerCall) {}
  package func violated(_ status: RPCStatus, on call: ServerCall) {}
  package func drained(_ call: ServerCall) {}
}

extension ClientHandler {
  package func receivedCompressed(on call: ClientCall) {}
  package func receivedMetadata(_ metadata: Metadata, on call: ClientCall) {}
  package func drained(_ call: ClientCall) {}
}

/// A server's half of a call, to answer on. Its methods may be called on the connection's loop
/// only, unless marked `async`. Calls that have ended ignore them.
package struct ServerCall: Sendable {
  /// Shared: a call is handed on with each event, and copying one reference costs one count.
  private let opening: Opening

  /// Why @unchecked Sendable: `state` is touched on the connection's loop only; the rest is constant.
  private final class Opening: @unchecked Sendable {
    let connection: Connection
    let state: StreamState
    let id: Int32
    let path: String
    let metadata: Metadata
    let peer: Peer
    let deadline: ContinuousClock.Instant?

    init(
      _ connection: Connection,
      _ state: StreamState,
      _ path: String,
      _ peer: Peer
    ) {
      self.connection = connection
      self.state = state
      id = state.id
      self.path = path
      metadata = state.fields.metadata
      self.peer = peer
      deadline = state.deadline?.instant
    }
  }

  /// The call that `state`, whose headers are whole, begins.
  init(_ connection: Connection, _ state: StreamState, path: String, peer: Peer) {
    opening = Opening(connection, state, path, peer)
  }

  var connection: Connection { opening.connection }
  var id: Int32 { opening.id }
  /// `/package.Service/Method`
  package var path: String { opening.path }
  package var metadata: Metadata { opening.metadata }
  package var peer: Peer { opening.peer }
  package var deadline: ContinuousClock.Instant? { opening.deadline }

  /// Queues a message. Unbounded: look at `queuedBytes`, and go on when drained.
  package func send(_ message: [UInt8]) {
    connection.onLoop((message, opening.state)) { $0.send($1.0, on: $1.1) }
  }

  /// Sends initial metadata now; otherwise it goes, empty, with the first message.
  package func sendMetadata(_ metadata: Metadata) {
    connection.onLoop((metadata, opening.state)) { $0.sendMetadata($1.0, on: $1.1) }
  }

  /// Ends the call: what is queued goes first.
  package func finish(_ status: RPCStatus) {
    connection.onLoop((status, opening.state)) { $0.finish($1.0, on: $1.1) }
  }

  package func credit(_ bytes: Int) {
    connection.onLoop((bytes, opening.state)) { $0.credit($1.0, on: $1.1) }
  }

  /// Counts the one request, which is kept until the call ends: with all else that its peer has here. Its
  /// end has to come as soon as a message's would.
  ///
  /// - Throws: `RESOURCE_EXHAUSTED` when the peer, or all together, have too much.
  func keepRequest(ofBytes bytes: Int) throws(RPCStatus) {
    let refusal = connection.onLoop((bytes, opening.state)) {
      $0.keepRequest(ofBytes: $1.0, of: $1.1)
    }
    if let refusal { throw refusal }
  }

  /// The client has nothing more to send: its end has to come as soon as a message's would, or the call ends
  /// with `DEADLINE_EXCEEDED`.
  package func expectEnd() { connection.onLoop(opening.state) { $0.expectEnd(of: $1) } }

  /// Makes the stream's window at least `bytes`.
  package func raiseWindow(to bytes: Int) {
    connection.onLoop((bytes, opening.state)) { $0.raiseWindow(of: $1.1, to: $1.0) }
  }

  /// Bytes that wait to be sent.
  package var queuedBytes: Int { opening.state.queuedBytes }

  /// Calls `drained` once, when at most 64 KiB wait to be sent.
  package func notifyWhenDrained() {
    connection.onLoop(opening.state) { $0.notifyWhenDrained(on: $1) }
  }

  /// Sends a message when there is room for it. From any task.
  ///
  /// - Throws: `RPCStatus` when the call has ended.
  package func sendWhenRoom(_ message: [UInt8]) async throws {
    try await connection.sendWhenRoom(message, on: id)
  }

  /// `finish`, from any task.
  package func finishLater(_ status: RPCStatus) async { await connection.finish(status, on: id) }

  /// `finishLater`, by the task that the connection counts; see `beganTask`.
  func endTask(_ status: RPCStatus) async { await connection.endTask(status, on: id) }

  /// The connection this call came by; the same for all calls on it.
  package var connectionID: ObjectIdentifier { ObjectIdentifier(connection) }
}

/// A client's half of a call. As `ServerCall`: on the connection's loop only.
package struct ClientCall: Sendable {
  let connection: Connection
  let id: Int32

  package func send(_ message: [UInt8]) {
    connection.onLoop((message, id)) { $0.send($1.0, on: $1.1) }
  }

  /// Says that no more messages come.
  package func halfClose() { connection.onLoop(id) { $0.halfClose($1) } }

  /// Ends the call here and there; `ended` comes with `CANCELLED`.
  package func cancel() { connection.onLoop(id) { $0.cancel($1) } }

  package func credit(_ bytes: Int) {
    connection.onLoop((bytes, id)) { $0.credit($1.0, on: $1.1) }
  }

  package func raiseWindow(to bytes: Int) {
    connection.onLoop((bytes, id)) { $0.raiseWindow(of: $1.1, to: $1.0) }
  }

  package var queuedBytes: Int { connection.onLoop(id) { $0.queuedBytes(on: $1) } }

  package func notifyWhenDrained() { connection.onLoop(id) { $0.notifyWhenDrained(on: $1) } }
}
