internal import Broker
internal import Calls
internal import Crypto
internal import Identity
internal import Ledger
internal import SwiftProtobuf
internal import Wire

/// A call, as its events tell it: a fold.
///
/// Knows what a later plane has to: who may have started the call, and how it ended if it has.
struct CallFold {
  private(set) var call: InheritedCall

  /// From the call's first event. Nil for another event, or one whose body was erased: nobody can take
  /// that call up.
  init?(_ intent: LedgerEvent) {
    guard let body = intent.intent, let owner = intent.header.onBehalfOf ?? intent.header.principal,
      let principal = Principal(owner)
    else { return nil }
    let header = intent.header
    var order = CallOrder(
      principal: principal,
      workspace: header.workspace,
      tool: body.tool,
      request: Array(body.request)
    )
    order.timeout = .milliseconds(Int64(clamping: body.timeoutMs))
    order.idempotencyKey = body.idempotencyKey
    order.isDetached = body.detached
    order.acknowledges = body.acknowledges
    order.resumes = body.resumes
    order.isKept = body.kept
    if body.graceMs > 0 { order.grace = .milliseconds(Int64(body.graceMs)) }
    if !header.chat.isEmpty {
      order.origin = CallOrigin(
        chat: header.chat,
        turn: header.turn,
        step: header.step,
        cause: header.cause
      )
    }
    call = InheritedCall(
      id: header.call,
      workspace: WorkspaceEntry(id: header.workspace, name: body.workspaceName),
      order: order,
      digest: Array(body.digest),
      created: header.time,
      timeout: .milliseconds(Int64(clamping: body.timeoutMs)),
      intent: header.sequence
    )
    call.instance = InstanceID(bytes: Array(body.instance))
  }

  /// - Parameter event: of the same call, in order.
  /// - Throws: `newer` for a kind that is not known here. What it did to the call cannot be told, so no
  ///   plane that does not know it may decide what becomes of the call.
  mutating func take(_ event: LedgerEvent) throws(LedgerError) {
    guard event.header.kind.isKnown else {
      throw LedgerError(
        .newer,
        "event \(event.header.sequence) of call \(call.id) is a '\(event.header.kind.name)', which this "
          + "gatehouse does not know, so it cannot take the call over; start the newer gatehouse that "
          + "wrote it"
      )
    }
    switch event.header.kind {
    case .callOffered:
      // An offer to another run than the intent's is durable before it leaves.
      call.instance = event.decoded.flatMap { InstanceID(bytes: Array($0.callOffered.instance)) }
    case .callStarted: call.wasStarted = true
    case .callCancelled: call.isCancelled = true
    case .callEnded:
      var exit = event.decoded?.callEnded.exit ?? Gatehouse_Tools_V1_Exit()
      if exit.outcome == .unspecified { exit.outcome = .lost }
      call.end = (exit, event.header.time)
    default: break
    }
  }

  /// The call of these events, in order, if a plane gave it up and nobody has said since what became of it.
  static func givenUp(_ events: [LedgerEvent]) -> CallNote? {
    guard let intent = events.first, var fold = CallFold(intent),
      !events.contains(where: { $0.header.kind == .callFound })
    else { return nil }
    // A kind that is not known may say so.
    for event in events { guard (try? fold.take(event)) != nil else { return nil } }
    return fold.call.end?.exit.outcome == .lost ? CallNote(fold.call) : nil
  }

  /// What a new plane takes over: the calls that have not ended, in the order in which they were made,
  /// those that a chat at work has to come back to, and of those that ended lately the ones with an
  /// idempotency key, which somebody may come back to; of others the keys alone. `now`: microseconds since 1970.
  /// `keptOnDisk`: calls whose output is there, ended ones too.
  static func inherited(
    from ledger: Ledger,
    now: Int64,
    keptOnDisk: Set<String> = []
  ) async throws(LedgerError) -> (calls: [InheritedCall], keys: [InheritedKey]) {
    let keys = try await ledger.keptKeys(endedAfter: now - ledger.keyLife, limit: maxKeys)
    let late = keys.filter { $0.ended > now - endedLife }.suffix(maxEnded).map(\.intent)
    let intents = Set(try await ledger.openCalls()).union(late)
      .union(try await unanswered(in: ledger))
    var ids = Set(keptOnDisk.sorted().suffix(maxKept))
    for event in try await ledger.events(at: intents) { ids.insert(event.header.call) }
    let calls = try await calls(ids, in: ledger)
    let taken = intents.union(calls.map(\.intent))
    let others = keys.filter { $0.ended > 0 && !taken.contains($0.intent) }
    return (calls, others.map(InheritedKey.init))
  }

  /// Calls of chats at work that ended, of which the chat has no answer: its turn comes back to them by
  /// their keys, however long there was no plane, and must not start them anew.
  private static func unanswered(in ledger: Ledger) async throws(LedgerError) -> Set<UInt64> {
    var intents: Set<UInt64> = []
    for first in try await ledger.openChats() {
      guard let chat = try await ledger.read(from: first, limit: 1).first?.header.chat else {
        continue
      }
      var calls: [String: UInt64] = [:]
      for event in try await ledger.events(ofChat: chat) {
        switch event.header.kind {
        case .callIntended: calls[event.header.call] = event.header.sequence
        case .toolAnswered: calls[event.header.call] = nil
        default: break
        }
      }
      intents.formUnion(calls.values)
    }
    return intents
  }

  /// The calls with these ids, in the order in which they were made. Some at a time: their events may
  /// hold much.
  private static func calls(
    _ ids: Set<String>,
    in ledger: Ledger
  ) async throws(LedgerError) -> [InheritedCall] {
    var calls: [InheritedCall] = []
    var rest = ids.sorted()[...]
    while !rest.isEmpty {
      let some = Set(rest.prefix(256))
      rest = rest.dropFirst(256)
      for events in try await ledger.events(ofCalls: some).values {
        guard let intent = events.first, var fold = CallFold(intent) else { continue }
        for event in events { try fold.take(event) }
        calls.append(fold.call)
      }
    }
    return calls.sorted { $0.intent < $1.intent }
  }

  private static let maxKeys = 100_000
  /// How long, and how many, ended calls are read again for those who come back.
  private static let endedLife: Int64 = 600 * 1_000_000
  private static let maxEnded = 1_000
  private static let maxKept = 10_000
}

extension InheritedKey {
  fileprivate init(_ kept: KeptKey) {
    self.init(
      principal: kept.principal,
      issuerPin: kept.issuerPin.isEmpty ? "" : "sha256//\(Base64.encode(kept.issuerPin))",
      key: kept.key,
      digest: kept.digest,
      call: kept.call,
      workspace: kept.workspace,
      ended: kept.ended
    )
  }
}

extension LedgerEvent {
  /// Its body; nil where there is none, or it was erased.
  var decoded: Gatehouse_Ledger_V1_Body? {
    guard case .bytes(let bytes) = body else { return nil }
    return try? Gatehouse_Ledger_V1_Body(serializedBytes: bytes)
  }
}
