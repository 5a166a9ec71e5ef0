internal import Calls
internal import Identity
internal import RPC

/// The calls there are: those under way, ended ones for a while, and the idempotency keys.
struct CallTable {
  private let options: BrokerOptions
  private var calls: [String: Call] = [:]
  private var live: [String: LiveCalls] = [:]
  /// In the order of arrival; some are empty.
  private var byAge = Fifo<Place>()
  private var empty = 0
  private var ended = Fifo<Ended>()
  private var endedBytes = 0
  private var keys: [Key: Entry] = [:]
  /// Some stand for another call now, or for none.
  private var keyOrder = Fifo<(key: Key, call: String)>()
  /// Keys that went before their time, since there were too many.
  private(set) var droppedKeys: UInt64 = 0

  init(_ options: BrokerOptions) { self.options = options }

  /// The calls under way in one workspace; each of them knows it.
  final class LiveCalls {
    /// In no order; each knows its place.
    fileprivate private(set) var calls: [Call] = []

    fileprivate func insert(_ call: Call) {
      call.liveIndex = calls.count
      calls.append(call)
    }

    fileprivate func remove(_ call: Call) {
      let last = calls.removeLast()
      guard last !== call else { return }
      last.liveIndex = call.liveIndex
      calls[call.liveIndex] = last
    }
  }

  /// Where a call stands in the order of arrival, until it is let go.
  final class Place {
    fileprivate let id: String
    fileprivate(set) var call: Call?

    init(_ call: Call) {
      id = call.id
      self.call = call
    }
  }

  private struct Ended {
    let call: Call
    let bytes: Int
  }

  /// A caller's key; the same name from another issuer is another caller.
  private struct Key: Hashable {
    let principal: String
    let issuerPin: String
    let key: String
  }

  private struct Entry {
    let call: String
    let workspace: String
    let digest: [UInt8]
    /// Nil while the call is under way.
    var expires: ContinuousClock.Instant?
  }

  subscript(id: String) -> Call? { calls[id] }

  /// All calls, in no order.
  var all: some Collection<Call> { calls.values }

  /// How many calls are under way.
  var liveCount: Int { live.values.reduce(0) { $0 + $1.calls.count } }

  /// All calls, newest first; with `before`, those that came before the call with this id.
  func newestFirst(before: String) -> some Sequence<Call> {
    let newestFirst = (0..<byAge.count).reversed().lazy.map { byAge[$0] }
    let isKept = calls[before] != nil
    let rest = newestFirst.drop { isKept && $0.id != before }
    // Of a call that is gone, the id still says when it came.
    return rest.filter { before.isEmpty || isKept ? $0.id != before : $0.id < before }
      .compactMap { $0.call }
  }

  /// All calls under way, in no order.
  var allLive: [Call] { live.values.flatMap { $0.calls } }

  func live(in workspace: String) -> [Call] {
    live[workspace]?.calls.sorted { $0.id < $1.id } ?? []
  }

  func ended(among ids: Set<String>, in workspace: String) -> [Call] {
    ids.sorted().compactMap { calls[$0] }.filter {
      $0.machine.isEnded && $0.workspace.id == workspace
    }
  }

  /// The call that the order's idempotency key names already, if it has a key.
  ///
  /// - Throws: `ALREADY_EXISTS` when the key stands for another request, or for a call that is not
  ///   kept any more.
  func repeated(
    _ order: CallOrder,
    digest: [UInt8],
    in workspace: WorkspaceEntry
  ) throws(RPCStatus) -> Call? {
    guard let key = Self.key(order), let entry = keys[key] else { return nil }
    if let expires = entry.expires, expires <= .now { return nil }
    guard entry.digest == digest, entry.workspace == workspace.id else {
      throw RPCStatus(
        .alreadyExists,
        "idempotency key '\(order.idempotencyKey)' stands for another request, call \(entry.call)"
      )
    }
    guard let call = calls[entry.call] else {
      throw RPCStatus(.alreadyExists, "call \(entry.call) has ended and is not kept any more")
    }
    return call
  }

  /// A key that is not here may stand for a call all the same. Not only when some went: an earlier broker's
  /// may have been more than this one was told of.
  var mayLackKeys: Bool { droppedKeys > 0 || keyOrder.count > options.idempotencyKeys / 2 }

  mutating func insert(_ call: Call) {
    calls[call.id] = call
    let place = Place(call)
    call.place = place
    byAge.append(place)
    let mates = live[call.workspace.id] ?? LiveCalls()
    if mates.calls.isEmpty { live[call.workspace.id] = mates }
    mates.insert(call)
    call.liveCalls = mates
    guard let key = Self.key(call.order) else { return }
    keys[key] = Entry(call: call.id, workspace: call.workspace.id, digest: call.digest)
    keyOrder.append((key, call.id))
    trimKeys()
  }

  /// `ago`: how long it has ended already.
  mutating func end(_ call: Call, ago: Duration = .zero) {
    if let mates = call.liveCalls {
      mates.remove(call)
      if mates.calls.isEmpty { live[call.workspace.id] = nil }
      call.liveCalls = nil
    }
    if let key = Self.key(call.order), keys[key]?.call == call.id {
      let expires = ContinuousClock.now + options.idempotencyTime - ago
      keys[key]?.expires = expires
      // Of one that was never to be made nobody has to know again.
      if call.endReason == .notRecorded { keys[key] = nil }
    }
    let bytes = call.keptBytes
    ended.append(Ended(call: call, bytes: bytes))
    endedBytes += bytes
    while ended.count > options.endedCalls || endedBytes > options.endedBytes,
      let oldest = ended.first, oldest.call.isEndKept || isOverfull
    {
      ended.popFirst()
      calls[oldest.call.id] = nil
      oldest.call.place?.call = nil
      empty += 1
      oldest.call.keeper?.releaseSoon()
      endedBytes -= oldest.bytes
    }
    dropEmptyPlaces()
  }

  private mutating func dropEmptyPlaces() {
    while let oldest = byAge.first, oldest.call == nil {
      byAge.popFirst()
      empty -= 1
    }
    // Behind one that goes on for days.
    guard empty > 64, empty > byAge.count / 2 else { return }
    byAge.removeAll { $0.call == nil }
    empty = 0
  }

  /// Kept in the order of arrival, empty ones too.
  var placeCount: Int { byAge.count }

  /// One whose end is not recorded yet stays: the daemon of a call that is not here is told to forget it.
  /// But there are no more than twice as many, however long nothing can be recorded.
  private var isOverfull: Bool {
    ended.count > 2 * options.endedCalls || endedBytes > 2 * options.endedBytes
  }

  /// A key of an earlier broker's call, which had ended by `now` (microseconds since 1970).
  mutating func remember(_ inherited: InheritedKey, now: Int64) {
    let key = Key(
      principal: inherited.principal,
      issuerPin: inherited.issuerPin,
      key: inherited.key
    )
    guard keys[key] == nil else { return }
    let age = max(.zero, Duration.microseconds(now - inherited.ended))
    keys[key] = Entry(
      call: inherited.call,
      workspace: inherited.workspace,
      digest: inherited.digest,
      expires: .now + options.idempotencyTime - age
    )
    keyOrder.append((key, inherited.call))
    trimKeys()
  }

  private mutating func trimKeys() {
    while let oldest = keyOrder.first {
      guard let entry = keys[oldest.key], entry.call == oldest.call else {
        keyOrder.popFirst()
        continue
      }
      let isOver = entry.expires.map { $0 <= .now } ?? false
      guard isOver || keyOrder.count > options.idempotencyKeys else { return }
      keyOrder.popFirst()
      if entry.expires == nil {
        // Its call goes on: without its key the call would be made twice. There are fewer of these than
        // calls at a time, so the bound holds but for them.
        keyOrder.append(oldest)
        guard keyOrder.count > options.idempotencyKeys + liveCount else { return }
        continue
      }
      keys[oldest.key] = nil
      if !isOver { droppedKeys += 1 }
    }
  }

  private static func key(_ order: CallOrder) -> Key? {
    guard !order.idempotencyKey.isEmpty else { return nil }
    return Key(
      principal: order.principal.description,
      issuerPin: order.principal.issuerPin,
      key: order.idempotencyKey
    )
  }
}
