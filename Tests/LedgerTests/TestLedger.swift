internal import Crypto
internal import Glibc
internal import Host
internal import Synchronization

@testable internal import Ledger

/// A ledger in a folder of its own, with its checkpoints beside the state folder, by a clock that the
/// test sets.
final class TestLedger {
  let base: String
  let folder: StateFolder
  let clock = TestClock()
  let notices = Notices()

  init() throws(HostError) {
    base =
      "\(ThisProcess.variable("TMPDIR") ?? "/tmp")/gatehouse-ledger-\(getpid())-"
      + "\(UInt64.random(in: 0 ... .max))"
    folder = try StateFolder(base + "/state")
  }

  deinit {
    guard let parent = try? StateFolder(base) else { return }
    try? parent.removeFolder("../" + String(base.split(separator: "/").last ?? "none"))
  }

  var checkpointPath: String { base + "/outside/checkpoints" }
  var storePath: String { folder.path(of: Ledger.storeFile) }

  /// What SQLite's log beside the store holds.
  var log: [UInt8] { get throws { try folder.read(Ledger.storeFile + "-wal") ?? [] } }

  var options: LedgerOptions {
    var options = LedgerOptions(origin: "test.example/ledger/1") { [clock] in clock.now }
    options.checkpointFile = checkpointPath
    // Checkpoints come when a test asks, or the ledger is closed.
    options.checkpointDelay = .seconds(3_600)
    options.retryDelay = .milliseconds(1)
    options.notice = { [notices] in notices.add($0) }
    return options
  }

  func open() throws(LedgerError) -> Ledger { try Ledger(in: folder, options) }

  /// Opens it, has `body` work on it, and closes it.
  func with<Value>(_ body: (Ledger) async throws -> Value) async throws -> Value {
    let ledger = try open()
    do {
      let value = try await body(ledger)
      await ledger.close()
      return value
    } catch {
      await ledger.close()
      throw error
    }
  }

  /// Appends as many events to it as are asked for, and closes it.
  func fill(_ count: Int, _ text: String = "body") async throws {
    try await with { ledger in
      for number in 0..<count { _ = try await ledger.append(.sample("\(text) \(number)")) }
    }
  }

  func verify(trusting key: String? = nil) throws(LedgerError) -> VerifyReport {
    try LedgerVerifier.verify(folder.path, checkpointFile: checkpointPath, trusting: key)
  }

  /// The kinds of what is found, without repetition.
  func findings() throws(LedgerError) -> Set<VerifyReport.Finding.Kind> {
    Set(try verify().findings.map(\.kind))
  }

  /// Changes the closed store as whoever can write to its file.
  func tamper(_ sql: String) throws(SQLiteError) {
    let database = try Database(storePath, .write)
    try database.execute(sql)
    try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
  }

  var checkpointText: String {
    get throws {
      let bytes = try AppendFile(checkpointPath).read(maxBytes: 1 << 20)
      return String(decoding: bytes ?? [], as: UTF8.self)
    }
  }
}

final class TestClock: Sendable {
  private let time = Mutex<Int64>(1_790_000_000_000_000)

  var now: Int64 {
    get { time.withLock { $0 } }
    set { time.withLock { $0 = newValue } }
  }
}

final class Notices: Sendable {
  private let all = Mutex<[LedgerNotice]>([])

  var list: [LedgerNotice] { all.withLock { $0 } }

  var hasFailedCheckpoint: Bool {
    list.contains { if case .checkpointFailed = $0 { true } else { false } }
  }

  func add(_ notice: LedgerNotice) { all.withLock { $0.append(notice) } }
}

extension EventDraft {
  static func sample(
    _ text: String,
    chat: String = "",
    kind: EventKind = .callIntended
  ) -> EventDraft {
    var header = EventHeader(kind)
    header.principal = .alice
    header.workspace = "ws_1"
    header.call = "call_1"
    header.chat = chat
    return EventDraft(
      header,
      scope: chat.isEmpty ? .owner(.alice) : .chat(chat),
      body: Array(text.utf8)
    )
  }
}

extension EventPrincipal {
  static let alice = EventPrincipal(
    id: "spiffe://test.example/user/alice",
    issuerPin: Hash256([UInt8](repeating: 1, count: 32)),
    keyPin: Hash256([UInt8](repeating: 2, count: 32))
  )
}

extension LedgerEvent {
  var text: String? {
    guard case .bytes(let bytes) = body else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
