internal import Broker
internal import Identity
internal import Ledger
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// Keeps who was turned away. A refusal is the peer's doing, and must not fill the ledger: of one kind
/// so many a second are kept, and how many were not.
struct RefusalRecorder: Sendable {
  private let recorder: Recorder
  private let throttle = LogThrottle()

  init(_ recorder: Recorder) { self.recorder = recorder }

  /// A call that was not taken.
  func record(_ order: CallOrder, _ status: RPCStatus) {
    record("call") {
      var event = Self.event(
        "/gatehouse.tools.v1.Tools/Invoke",
        status.code.name,
        status.message,
        by: EventPrincipal(order.principal)
      )
      event.header.workspace = String(order.workspace.prefix(64))
      return event
    }
  }

  /// A `Carry` with a ticket that was not its own.
  func record(claimOf call: String, by principal: Principal) {
    record("claim") {
      var event = Self.event(
        "/gatehouse.link.v1.Link/Carry",
        "NOT_FOUND",
        "no such ticket",
        by: EventPrincipal(principal)
      )
      event.header.call = String(call.prefix(64))
      return event
    }
  }

  /// A request that the permission table, or the certificate, did not let through.
  func record(_ event: ServerEvent) {
    guard case .refused(let peer, let path, let status) = event else { return }
    record("request") {
      Self.event(
        String(path.prefix(256)),
        status.code.name,
        status.message,
        by: (peer.identity as? Principal).map { EventPrincipal($0) },
        peer.address
      )
    }
  }

  /// A join token that was none.
  func record(enrollmentFrom peer: String, _ reason: String) {
    record("enrollment") {
      Self.event("/gatehouse.link.v1.Enrollment/Enroll", "UNAUTHENTICATED", reason, by: nil, peer)
    }
  }

  private func record(_ kind: String, _ event: @escaping @Sendable () -> RecordedEvent) {
    guard case .yes(let more) = throttle.allows(kind, at: .now) else { return }
    recorder.record {
      var event = event()
      event.body?.refused.more = UInt64(more)
      return event
    }
  }

  private static func event(
    _ method: String,
    _ code: String,
    _ reason: String,
    by principal: EventPrincipal?,
    _ peer: String = ""
  ) -> RecordedEvent {
    RecordedEvent(.refused, by: principal) {
      $0.refused = .with {
        $0.method = method
        $0.code = code
        $0.reason = String(reason.prefix(1_024))
        $0.peer = peer
      }
    }
  }
}
