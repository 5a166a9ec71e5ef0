internal import Calls
internal import Identity
internal import RPC

/// The calls there are: those under way, ended ones for a while, and the idempotency keys.
struct CallTable {
  private let options: BrokerOptions
  private var calls: [String: Call] = [:]
  private var live: [String: Set<String>] = [:]
  /// Ids in the order of arrival; some of calls that are gone.
  private var byAge = Fifo<String>()
  private var ended = Fifo<(id: String, bytes: Int)>()
  private var endedBytes = 0
  private var keys: [Key: Entry] = [:]
  private var keyOrder = Fifo<Key>()

  init(_ options: BrokerOptions) { self.options = options }

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

  /// How many calls are under way.
  var liveCount: Int { live.values.reduce(0) { $0 + $1.count } }

  /// All calls, newest first; with `before`, those that came before the call with this id.
  func newestFirst(before: String) -> some Sequence<Call> {
    let newestFirst = (0..<byAge.count).reversed().lazy.map { byAge[$0] }
    let ids = newestFirst.drop { calls[before] != nil && $0 != before }
    // Of a call that is gone, the id still says when it came.
    return ids.filter { before.isEmpty || calls[before] != nil ? $0 != before : $0 < before }
      .compactMap { calls[$0] }
  }

  func live(in workspace: String) -> [Call] {
    (live[workspace] ?? []).sorted().compactMap { calls[$0] }
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

  mutating func insert(_ call: Call) {
    calls[call.id] = call
    byAge.append(call.id)
    live[call.workspace.id, default: []].insert(call.id)
    guard let key = Self.key(call.order) else { return }
    keys[key] = Entry(call: call.id, workspace: call.workspace.id, digest: call.digest)
    keyOrder.append(key)
    trimKeys()
  }

  mutating func end(_ call: Call) {
    live[call.workspace.id]?.remove(call.id)
    if live[call.workspace.id]?.isEmpty == true { live[call.workspace.id] = nil }
    if let key = Self.key(call.order) { keys[key]?.expires = .now + options.idempotencyTime }
    ended.append((call.id, call.keptBytes))
    endedBytes += call.keptBytes
    while ended.count > options.endedCalls || endedBytes > options.endedBytes,
      let oldest = ended.popFirst()
    {
      calls[oldest.id] = nil
      endedBytes -= oldest.bytes
    }
    while let oldest = byAge.first, calls[oldest] == nil { byAge.popFirst() }
  }

  private mutating func trimKeys() {
    while let oldest = keyOrder.first {
      let isOver = keys[oldest]?.expires.map { $0 <= .now } ?? false
      guard isOver || keyOrder.count > options.idempotencyKeys else { return }
      keyOrder.popFirst()
      keys[oldest] = nil
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
