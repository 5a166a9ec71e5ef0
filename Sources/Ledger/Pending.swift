internal import Crypto

/// An event on its way to the store.
///
/// `@unchecked Sendable`: it goes from hand to hand, and each has it alone: whoever appends it, the
/// queue, the writer's thread, at last the index's. The mutexes between them order what they do.
final class Pending: @unchecked Sendable {
  enum Action: Sendable, Equatable {
    case append
    /// Destroys the key of this scope with it.
    case destroyKey(String)
  }

  /// Who is to hear what became of it.
  enum Waiter {
    case nobody
    case task(CheckedContinuation<Result<Receipt, LedgerError>, Never>)
    case told(@Sendable (Result<Receipt, LedgerError>) -> Void)
  }

  /// It has happened: it is kept until it can be written. Others fail when the store does, since
  /// what they announce must not begin.
  let isFact: Bool
  let action: Action
  var waiter = Waiter.nobody
  /// What it holds in memory, roughly. Asked for while the store fails only.
  var bytes: @Sendable () -> Int = { 1_024 }
  /// Microseconds since 1970, when it was told of.
  var time: Int64 = 0
  /// 0 until it is in the tree.
  private(set) var sequence: UInt64 = 0
  private var refusal: LedgerError?
  private var made: EventDraft?
  /// Those who tell of much have no time to put it together: it is made on the writer's thread.
  private let make: (@Sendable () -> EventDraft)?
  private(set) var sealed: SealedBody?
  /// The header's fields behind its time; empty: it is not put together yet.
  private var rest: [UInt8] = []

  init(_ draft: EventDraft, isFact: Bool = false, action: Action = .append) {
    (made, make) = (draft, nil)
    self.isFact = isFact
    self.action = action
  }

  init(isFact: Bool, _ make: @escaping @Sendable () -> EventDraft) {
    (made, self.make) = (nil, make)
    self.isFact = isFact
    action = .append
  }

  /// What is to be written; made now if it was not before.
  func draft() -> EventDraft {
    if let made { return made }
    guard let draft = make?() else { preconditionFailure("an event without a draft") }
    made = draft
    return draft
  }

  var isPutTogether: Bool { !rest.isEmpty }

  /// Nothing of it is left to do but what its number decides. `header`: its draft's. `sealed`: nil where
  /// there is no body, or may be none any more.
  func putTogether(_ header: EventHeader, _ sealed: SealedBody?) {
    self.sealed = sealed
    rest = header.encodedRest(sealed?.digest)
  }

  /// The event with this number, as it is stored.
  func stored(_ sequence: UInt64) -> StoredEvent {
    self.sequence = sequence
    return StoredEvent(
      sequence: sequence,
      header: EventHeader.encoded(sequence, time, rest: rest),
      scope: sealed?.scope ?? 0,
      body: sealed?.bytes
    )
  }

  /// It is not written with its batch, but is no reason for the others to fail.
  func refuse(_ error: LedgerError) { refusal = error }

  /// Its batch was not written: what was sealed for it goes with the keys that were made there.
  func takeApart() {
    (sequence, rest, sealed) = (0, [], nil)
    if make != nil { made = nil }
  }

  var isWritten: Bool { refusal == nil && sequence > 0 }

  /// As it is read later. Of one that is written.
  var event: LedgerEvent {
    guard var header = made?.header else { preconditionFailure("an event that was not made") }
    header.sequence = sequence
    header.time = time
    header.bodyDigest = sealed?.digest
    return LedgerEvent(header: header, body: bodyBytes == 0 ? .none : .bytes(made?.body ?? []))
  }

  /// Of one that is written: its body's; 0: it has none.
  var bodyBytes: Int { sealed == nil ? 0 : max(1, made?.body?.count ?? 0) }

  /// Tells who waits what became of it.
  func answer() {
    let receipt = Receipt(sequence: sequence, time: time)
    answer(refusal.map { .failure($0) } ?? .success(receipt))
  }

  func answer(_ result: Result<Receipt, LedgerError>) {
    switch waiter {
    case .nobody: break
    case .task(let continuation): continuation.resume(returning: result)
    case .told(let hear): hear(result)
    }
  }
}
