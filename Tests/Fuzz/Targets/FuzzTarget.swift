/// What reads bytes of strangers. Each takes any bytes, and traps when something is not as it must be:
/// by the machine (an index, an overflow, memory), or by a rule that is checked behind it.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// A server's HTTP/2 connection, behind its preface.
  case frames
  /// gRPC's length-prefixed messages, some of them gzip.
  case messages
  /// Fields of a header block, as lines `name: value`.
  case metadata
  /// `Chunk`, `Exit` and `InvokeStart` as the broker walks them.
  case chunks
  /// What a daemon hears from its plane, and the requests of its tools.
  case offers
  /// What a daemon shows to carry a call, and the positions it names.
  case tickets

  package func run(_ input: [UInt8]) {
    switch self {
    case .frames: FrameInput.run(input)
    case .messages: MessageInput.run(input)
    case .metadata: MetadataInput.run(input)
    case .chunks: ChunkInput.run(input)
    case .offers: OfferInput.run(input)
    case .tickets: TicketInput.run(input)
    }
  }
}

/// A rule that holds whatever the input.
func require(_ holds: Bool, _ rule: @autoclosure () -> String) {
  if !holds { preconditionFailure(rule()) }
}

/// Takes an input apart; beyond its end everything is 0.
struct InputReader {
  private var rest: ArraySlice<UInt8>

  init(_ input: [UInt8]) { rest = input[...] }

  var isEmpty: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func bytes(_ count: Int) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func remaining() -> [UInt8] { bytes(rest.count) }

  mutating func number() -> UInt64 { bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
