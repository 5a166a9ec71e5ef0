internal import EventLoop
internal import RPC

/// A call of a case: typed messages, and all that comes back as events in their order.
struct InteropCall: Sendable {
  enum Event: Sendable {
    case metadata(Metadata)
    case message([UInt8], isCompressed: Bool)
    case end(RPCStatus)
  }

  private let call: ClientCall
  private let connection: Connection
  private let events: AsyncStream<Event>

  /// Throws an `RPCStatus` when the connection takes no more calls.
  static func open(
    _ method: String,
    of service: String = "grpc.testing.TestService",
    on connection: Connection,
    metadata: Metadata = Metadata(),
    timeout: Duration? = .seconds(20),
    gzip: Bool = false
  ) async throws -> InteropCall {
    let (events, report) = AsyncStream<Event>.makeStream()
    let call = try await connection.open(
      "/\(service)/\(method)",
      metadata: metadata,
      timeout: timeout,
      gzip: gzip
    ) { Reporter(report) }
    return InteropCall(call: call, connection: connection, events: events)
  }

  // In the order of the calls: the loop runs what it is given first in, first out.

  func send(_ message: some InteropMessage, isCompressed: Bool = false) {
    let bytes = message.bytes
    connection.loop.execute {
      if isCompressed { call.sendCompressed(bytes) } else { call.send(bytes) }
    }
  }

  func halfClose() { connection.loop.execute { call.halfClose() } }

  func cancel() { connection.loop.execute { call.cancel() } }

  /// Everything up to the call's end.
  func outcome() async -> Outcome {
    var outcome = Outcome()
    for await event in events { outcome.take(event) }
    return outcome
  }

  /// The next message; nil when the call ended instead.
  func nextMessage() async -> [UInt8]? {
    for await event in events {
      switch event {
      case .metadata: continue
      case .message(let bytes, _): return bytes
      case .end: return nil
      }
    }
    return nil
  }

  struct Outcome: Sendable {
    var metadata = Metadata()
    var messages: [[UInt8]] = []
    /// Which of them came compressed.
    var compressed: [Bool] = []
    var status = RPCStatus(.unknown, "the call did not end")

    mutating func take(_ event: Event) {
      switch event {
      case .metadata(let metadata): self.metadata = metadata
      case .message(let bytes, let isCompressed):
        messages.append(bytes)
        compressed.append(isCompressed)
      case .end(let status): self.status = status
      }
    }
  }
}

/// On the connection's loop: turns what comes into events. Takes each message at once: the cases
/// bound what there is.
private final class Reporter: ClientHandler {
  private let report: AsyncStream<InteropCall.Event>.Continuation
  private var isCompressed = false

  init(_ report: AsyncStream<InteropCall.Event>.Continuation) { self.report = report }

  func receivedMetadata(_ metadata: Metadata, on call: ClientCall) {
    report.yield(.metadata(metadata))
  }

  func received(_ message: [UInt8], credit: Int, on call: ClientCall) {
    call.credit(credit)
    report.yield(.message(message, isCompressed: isCompressed))
    isCompressed = false
  }

  func receivedCompressed(on call: ClientCall) { isCompressed = true }

  func ended(_ status: RPCStatus, _ call: ClientCall) {
    report.yield(.end(status))
    report.finish()
  }
}
