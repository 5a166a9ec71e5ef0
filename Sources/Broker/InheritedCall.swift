package import Calls
package import Wire

/// A call that an earlier broker took, as its records have it.
package struct InheritedCall: Sendable {
  package let id: String
  /// As it was then; the workspace may be gone.
  package let workspace: WorkspaceEntry
  package let order: CallOrder
  package let digest: [UInt8]
  /// Microseconds since 1970.
  package let created: Int64
  package let timeout: Duration
  /// The number of its intent's record.
  package let intent: UInt64
  /// The daemon's run that may have been offered it; nil: nobody knows.
  package var instance: InstanceID?
  /// A daemon has had it.
  package var wasStarted = false
  package var isCancelled = false
  /// What is on disk of its output.
  package var spool: RecoveredSpool?
  /// How it ended, and when, in microseconds since 1970.
  package var end: (exit: Gatehouse_Tools_V1_Exit, time: Int64)?

  package init(
    id: String,
    workspace: WorkspaceEntry,
    order: CallOrder,
    digest: [UInt8],
    created: Int64,
    timeout: Duration,
    intent: UInt64
  ) {
    self.id = id
    self.workspace = workspace
    self.order = order
    self.digest = digest
    self.created = created
    self.timeout = timeout
    self.intent = intent
  }

  /// Whether all of its output was on disk when the last record before this broker was made, at `last` in
  /// microseconds since 1970. Its end may be there before the output is: another file, and synced later.
  package func isSettled(by last: Int64) -> Bool {
    guard let end else { return false }
    return last - end.time > Self.longestSync
  }

  /// What waits for the disk longer is given up, and said to be lost.
  private static let longestSync: Int64 = 60 * 1_000_000
}

/// An idempotency key whose call has ended and is not kept any more.
package struct InheritedKey: Sendable {
  package let principal: String
  package let issuerPin: String
  package let key: String
  package let digest: [UInt8]
  package let call: String
  package let workspace: String
  /// When the call ended, in microseconds since 1970.
  package let ended: Int64

  package init(
    principal: String,
    issuerPin: String,
    key: String,
    digest: [UInt8],
    call: String,
    workspace: String,
    ended: Int64
  ) {
    self.principal = principal
    self.issuerPin = issuerPin
    self.key = key
    self.digest = digest
    self.call = call
    self.workspace = workspace
    self.ended = ended
  }
}

extension Call {
  /// `now`: microseconds since 1970, for what is left of its time.
  convenience init(_ inherited: InheritedCall, now: Int64, options: BrokerOptions) {
    // A clock that was set back must not give it more than it had.
    let age = min(max(.zero, .microseconds(now - inherited.created)), options.longestTimeout * 2)
    let began = ContinuousClock.now - age
    self.init(
      id: inherited.id,
      workspace: inherited.workspace,
      order: inherited.order,
      digest: inherited.digest,
      // Its daemon keeps the time of one that it has, by a clock that nobody sets; here it only bounds that.
      deadline: (inherited.wasStarted ? .now : began) + inherited.timeout,
      created: inherited.created,
      began: began,
      options: options
    )
    machine = BrokerCall(
      inheritedFrom: inherited.instance,
      // One that has ended is never offered again, whatever its records say of its start.
      wasKnown: inherited.wasStarted || inherited.end != nil,
      isCancelled: inherited.isCancelled,
      deadline: deadline,
      timing: options.timing,
      now: .now
    )
    stdin = .inherited
    intent = inherited.intent
    instance = inherited.instance
    isStarted = inherited.wasStarted
  }
}
