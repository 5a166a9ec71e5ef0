internal import Calls
internal import Identity
internal import RPC

/// The calls there are: those under way, ended ones for a while, and the idempotency keys.
struct CallTable {
  private let options: BrokerOptions
  private var calls: [String: Call] = [:]
  private var live: [String: Set<String>] = [:]
  private var ended = Fifo<String>()
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

  /// All calls, newest first: ids sort by time.
  var newestFirst: [Call] { calls.values.sorted { $0.id > $1.id } }

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
    ended.append(call.id)
    endedBytes += call.keptBytes
    while ended.count > options.endedCalls || endedBytes > options.endedBytes,
      let oldest = ended.popFirst(), let call = calls.removeValue(forKey: oldest)
    {
      endedBytes -= call.keptBytes
    }
    if ended.isEmpty { endedBytes = 0 }
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
