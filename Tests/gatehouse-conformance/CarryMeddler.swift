internal import RPC
internal import Synchronization

/// Stands between the daemon's `Carry` streams and the broker: lets them through, unless told
/// otherwise for the next one.
final class CarryMeddler: Sendable {
  private struct State {
    var next = Treatment.pass
    var met = 0
    var open: [ServerCall] = []
  }

  private let state = Mutex(State())

  enum Treatment: Sendable {
    case pass
    /// Turned away as if its ticket were wrong.
    case refuse
    /// Neither answered nor given to the broker, whose ticket runs out: it offers the call again.
    case swallow
  }

  /// How many streams there were.
  var count: Int { state.withLock { $0.met } }

  func treatNext(as treatment: Treatment) { state.withLock { $0.next = treatment } }

  func meet(
    _ call: ServerCall,
    _ next: () throws -> any ServerHandler
  ) throws -> any ServerHandler {
    let treatment = state.withLock { state in
      state.met += 1
      defer { state.next = .pass }
      return state.next
    }
    switch treatment {
    case .refuse:
      throw RPCStatus(.notFound, "no such ticket; keep the call and report it as unclaimed")
    case .swallow: return Swallower()
    case .pass:
      let handler = try next()
      state.withLock { $0.open.append(call) }
      return handler
    }
  }

  /// Ends the streams that passed, with the connection and the link left as they are.
  func endAll() {
    let calls = state.withLock { state in
      defer { state.open = [] }
      return state.open
    }
    for call in calls {
      // On its loop; one that is over ignores it.
      Task { await call.finishLater(RPCStatus(.unavailable, "this stream was cut")) }
    }
  }
}

/// Takes what comes and says nothing.
private final class Swallower: ServerHandler {
  func received(_ message: [UInt8], credit: Int, on call: ServerCall) { call.credit(credit) }
  func halfClosed(_ call: ServerCall) {}
  func ended(_ status: RPCStatus, _ call: ServerCall) {}
}
