internal import Crypto

/// One thing that events can be searched for.
package enum SearchTerm: Hashable, Sendable {
  case kind(EventKind)
  /// The last part of a SPIFFE id, of who did it or for whom.
  case principal(String)
  case workspace(String)
  case chat(String)
  case call(String)
  case tool(String)
  case path([UInt8])
  /// The intent of a call whose body was erased: its tool and path are not known any more.
  case erasedIntent

  /// What of an event's body can be searched for has these numbers; erased bodies have none.
  static let numbersOfFacts = number(6, 0)..<number(8, 0)

  /// As the index keeps it: which of these, then 55 bits. Of an id made by the plane they are its time
  /// and first random bits, so that what comes together lies together; of other text a hash. Several
  /// things may share a number: what is found is looked at again.
  func number(_ salt: [UInt8]) -> Int64 {
    switch self {
    case .kind(let kind): Self.number(1, UInt64(truncatingIfNeeded: kind.number))
    case .principal(let name): Self.number(2, Self.hash(Array(name.utf8), salt))
    case .workspace(let id): Self.number(3, Self.bits(of: id, salt))
    case .chat(let id): Self.number(4, Self.bits(of: id, salt))
    case .call(let id): Self.number(5, Self.bits(of: id, salt))
    case .tool(let name): Self.number(6, Self.hash(Array(name.utf8), salt))
    case .path(let path): Self.number(7, Self.hash(path, salt))
    case .erasedIntent: Self.number(8, 0)
    }
  }

  /// Where a good guess is needed which of several is rarest: the smaller, the rarer.
  var rank: Int {
    switch self {
    case .call: 0
    case .chat: 1
    case .path, .erasedIntent: 2
    case .workspace: 3
    case .principal: 4
    case .tool: 5
    case .kind: 6
    }
  }

  private static func number(_ field: UInt64, _ bits: UInt64) -> Int64 {
    Int64(field << 55 | bits & (1 << 55 - 1))
  }

  /// Eleven digits of base32 behind the prefix; of what is no such id, a hash.
  private static func bits(of id: String, _ salt: [UInt8]) -> UInt64 {
    let digits = id.utf8.drop { $0 != UInt8(ascii: "_") }.dropFirst().prefix(11)
    guard digits.count == 11 else { return hash(Array(id.utf8), salt) }
    var bits: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): bits = bits << 5 | UInt64(digit - 48)
      case UInt8(ascii: "a")...UInt8(ascii: "v"): bits = bits << 5 | UInt64(digit - 87)
      default: return hash(Array(id.utf8), salt)
      }
    }
    return bits
  }

  private static func hash(_ bytes: [UInt8], _ salt: [UInt8]) -> UInt64 {
    SHA256.hash(salt + bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The last part of a SPIFFE id.
  static func name(of principal: EventPrincipal) -> String {
    let id = principal.id
    guard let slash = id.utf8.lastIndex(of: UInt8(ascii: "/")) else { return id }
    return String(id[id.index(after: slash)...])
  }

  /// All that an event can be found by; a person who acts for themselves may be there twice.
  static func all(of event: LedgerEvent, _ facts: EventFacts?) -> [SearchTerm] {
    let header = event.header
    var terms: [SearchTerm] = [.kind(header.kind)]
    terms.reserveCapacity(8)
    if event.isErasedIntent { terms.append(.erasedIntent) }
    if let who = header.principal { terms.append(.principal(name(of: who))) }
    if let whom = header.onBehalfOf { terms.append(.principal(name(of: whom))) }
    if !header.workspace.isEmpty { terms.append(.workspace(header.workspace)) }
    if !header.chat.isEmpty { terms.append(.chat(header.chat)) }
    if !header.call.isEmpty { terms.append(.call(header.call)) }
    guard let facts else { return terms }
    if !facts.tool.isEmpty { terms.append(.tool(facts.tool)) }
    for path in facts.paths where !path.isEmpty { terms.append(.path(path)) }
    return terms
  }
}

extension LedgerEvent {
  /// It is the intent of a call, and what the call was to do can be read no more.
  package var isErasedIntent: Bool { header.kind == .callIntended && isErased }

  var isErased: Bool { if case .erased = body { true } else { false } }

  /// Events of these kinds can be found by what their bodies hold (`EventFacts`).
  static let kindsWithFacts: [EventKind] = [.callIntended, .callEnded]

  var hasFacts: Bool { Self.kindsWithFacts.contains(header.kind) }
}
