internal import Crypto
internal import Ledger

/// Events as a busy plane would leave them: 100 people with 1,000 workspaces, calls of four events each,
/// on 50,000 files.
enum LedgerSample {
  private static let kinds: [EventKind] = [.callIntended, .callOffered, .callStarted, .callEnded]

  static func draft(_ number: Int, bodyBytes: Int) -> EventDraft {
    let call = number / kinds.count
    let actor = person(call % 100)
    var header = EventHeader(kinds[number % kinds.count])
    header.principal = actor
    header.workspace = workspace(call % 1_000)
    header.call = self.call(call)
    let text = "files.edit \(path(call % 50_000)) "
    let body =
      Array(text.utf8) + [UInt8](repeating: 0x61, count: max(0, bodyBytes - text.utf8.count))
    return EventDraft(header, scope: .owner(actor), body: body)
  }

  /// What of a body the index is told.
  static func facts(_ event: LedgerEvent) -> EventFacts? {
    guard event.header.kind == .callIntended, case .bytes(let body) = event.body else { return nil }
    let words = body.split(separator: UInt8(ascii: " "), maxSplits: 2)
    guard words.count >= 2 else { return nil }
    var facts = EventFacts()
    facts.tool = String(decoding: words[0], as: UTF8.self)
    facts.paths = [Array(words[1])]
    return facts
  }

  /// One search of each kind that people make, in a ledger of so many events: the newest 100.
  static func searches(_ events: Int) -> [(name: String, groups: [[SearchTerm]])] {
    let middle = events / kinds.count / 2
    return [
      ("call", [[.call(call(middle))]]),
      ("user", [[.principal("person17")]]),
      ("workspace", [[.workspace(workspace(117))]]),
      ("tool", [[.tool("files.edit")]]),
      ("file", [[.path(Array(path(117).utf8))]]),
      ("file in workspace", [[.path(Array(path(117).utf8))], [.workspace(workspace(117))]]),
      ("user and kind", [[.principal("person17")], [.kind(.callEnded)]]),
      ("user and another's workspace", [[.principal("person17")], [.workspace(workspace(118))]]),
      ("nothing", [[.path(Array("no such file".utf8))]]),
    ]
  }

  private static func person(_ number: Int) -> EventPrincipal {
    EventPrincipal(
      id: "spiffe://bench.example/user/person\(number)",
      issuerPin: .init([UInt8](repeating: 1, count: 32)),
      keyPin: .init([UInt8](repeating: 2, count: 32))
    )
  }

  private static func workspace(_ number: Int) -> String { id("ws", number * 1_000_003) }
  private static func call(_ number: Int) -> String { id("call", number) }
  private static func path(_ number: Int) -> String {
    "src/part\(number % 100)/file\(number).swift"
  }

  /// As the plane makes them, for calls a millisecond apart.
  private static func id(_ prefix: String, _ number: Int) -> String {
    let digits = String(UInt64(1_790_000_000_000 + number) << 2, radix: 32)
    let zeros = String(repeating: "0", count: max(0, 10 - digits.count))
    return "\(prefix)_\(zeros)\(digits)0000000000000000"
  }
}
