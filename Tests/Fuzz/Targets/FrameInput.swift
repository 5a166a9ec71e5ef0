internal import HTTP2

@testable internal import RPC

/// A connection's protocol state without its socket: what arrives is recorded, handed over and answered
/// as a connection does.
enum FrameInput {
  /// The first byte says in what pieces the rest arrives.
  static func run(_ input: [UInt8]) {
    var limits = ConnectionLimits()
    limits.acceptsGzip = true
    let table = StreamTable(isServer: true, limits: limits)
    do {
      var session = try Session(server: Session.Settings(), delegate: table)
      feed(input, to: &session, table, limits)
    } catch {
      preconditionFailure("no session: \(error)")
    }
    require(table.unstarted >= 0 && table.queuedBytes >= 0, "a count below zero")
  }

  private static func feed(
    _ input: [UInt8],
    to session: inout Session,
    _ table: StreamTable,
    _ limits: ConnectionLimits
  ) {
    var reader = InputReader(input)
    let piece = max(1, Int(reader.byte()) * 16)
    var budget = PeerBudget(limits)
    let now = ContinuousClock.now
    var bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    while !bytes.isEmpty {
      do {
        try session.receive(bytes.span)
      } catch {
        break
      }
      if budget.spend(session.takeUsage(), at: now) != nil { break }
      answer(table, &session)
      guard (try? send(&session)) != nil else { break }
      bytes = reader.bytes(piece)
    }
  }

  /// Credits each message, and sends it back.
  private static func answer(_ table: StreamTable, _ session: inout Session) {
    var events = table.takeEvents()
    for event in events {
      switch event {
      case .request(let state) where !state.isGone:
        var block = HeaderBlock()
        block.append(":status", "200")
        try? session.respond(on: state.id, block, hasBody: true)
      case .message(let state, let message, let credit):
        require(message.count <= 1_048_576, "a message above the limit")
        state.take(credit)
        let due = state.creditDue()
        if due > 0 { session.credit(due, on: state.id) }
        guard !state.isGone, state.ending == nil else { continue }
        table.enqueue(message, on: state)
        session.resume(state.id)
      case .ended(let state):
        state.ending = .halfClose
        session.resume(state.id)
      case .failed(let state, _), .finishedFirst(let state): session.reset(state.id, .noError)
      default: break
      }
    }
    table.returnEvents(&events)
  }

  private static func send(_ session: inout Session) throws {
    var output: [UInt8] = []
    repeat {
      output.removeAll(keepingCapacity: true)
      try session.send(into: &output, limit: 65_536)
    } while !output.isEmpty
  }
}
