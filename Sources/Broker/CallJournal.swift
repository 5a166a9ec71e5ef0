package import Calls

/// Keeps what happens to calls and links, so that it outlives the broker. Called on the broker's
/// loop: nothing of it waits.
package protocol CallJournal: Sendable {
  /// Why nothing can be kept now, for people; nil when it can.
  var failure: String? { get }
  /// Keeps that a call is to be made, before any of it is. `then` is called once, on any thread: with
  /// the record's number, or with why there is none; then the call must not be made.
  func intend(
    _ call: CallNote,
    then: @escaping @Sendable (Result<UInt64, JournalError>) -> Void
  )
  /// Says which other call the call's idempotency key stands for by the records; nil: none. `then` is
  /// called once, on any thread.
  func holder(
    ofKeyOf call: CallNote,
    then: @escaping @Sendable (Result<String?, JournalError>) -> Void
  )
  /// Keeps that a call is about to be offered to another run of its daemon than its intent names, as
  /// `intend` does.
  func offer(
    _ call: CallNote,
    on link: BrokerCall.Link,
    then: @escaping @Sendable (Result<UInt64, JournalError>) -> Void
  )
  /// Keeps how a call ended. `then` is called once that is kept, on any thread: at once or much later,
  /// and not at all when the process ends before.
  func end(_ report: CallReport, then: @escaping @Sendable () -> Void)
  /// Keeps what became of a call that was given up, as `end` does.
  func found(_ call: CallNote, _ found: FoundCall, then: @escaping @Sendable () -> Void)
  /// Keeps what became of calls of a workspace that are not known here: of those that were given up by
  /// the records. `then` is called as `end` does, when there are none too.
  func found(
    _ calls: [String: FoundCall],
    in workspace: String,
    then: @escaping @Sendable () -> Void
  )
  /// Keeps what has happened.
  func record(_ event: BrokerEvent)
}

/// Why an intent could not be kept, for people.
package struct JournalError: Error, Equatable {
  package let message: String

  package init(_ message: String) { self.message = message }
}

/// Which part of a chat a call belongs to.
package struct CallOrigin: Sendable, Equatable {
  package let chat: String
  /// From 1.
  package let turn: UInt64
  package let step: UInt64
  /// The number of the record that it comes from; 0: none.
  package let cause: UInt64

  package init(chat: String, turn: UInt64, step: UInt64, cause: UInt64) {
    self.chat = chat
    self.turn = turn
    self.step = step
    self.cause = cause
  }
}

/// A call, as a record is made of it.
package struct CallNote: Sendable {
  package let id: String
  package let workspace: WorkspaceEntry
  package let order: CallOrder
  /// SHA-256 of tool and request.
  package let digest: [UInt8]
  package let timeout: Duration
  /// The number of its intent's record; 0 while there is none.
  package let intent: UInt64
  /// The daemon's run that it is to be offered to.
  package let instance: InstanceID?
}

extension CallNote {
  package init(_ call: InheritedCall) {
    id = call.id
    workspace = call.workspace
    order = call.order
    digest = call.digest
    timeout = call.timeout
    intent = call.intent
    instance = call.instance
  }

  init(_ call: Call) {
    id = call.id
    workspace = call.workspace
    order = call.order
    digest = call.digest
    timeout = call.deadline - call.began
    intent = call.intent ?? 0
    instance = call.instance
  }
}
