internal import Crypto
internal import Testing

@testable internal import Ledger

@Suite struct `An event's header` {
  private static var full: EventHeader {
    var header = EventHeader(.callIntended)
    header.sequence = 300
    header.time = 1_790_000_000_000_000
    header.principal = .alice
    header.onBehalfOf = EventPrincipal(
      id: "spiffe://test.example/user/bob",
      issuerPin: nil,
      keyPin: nil
    )
    header.workspace = "ws_1"
    header.chat = "chat_1"
    header.parentChat = "chat_0"
    header.turn = 1
    header.step = 129
    header.call = "call_1"
    header.cause = 299
    header.policyVersion = 7
    header.mappingVersion = 8
    header.evidence = .daemon
    header.bodyDigest = Hash256([UInt8](repeating: 9, count: 32))
    return header
  }

  private static var least: EventHeader { EventHeader(.planeStarted) }

  @Test(arguments: [full, least]) func `it survives its bytes`(header: EventHeader) throws {
    #expect(try EventHeader(canonical: header.encoded) == header)
  }

  @Test func `a kind of a newer program is kept`() throws {
    let header = EventHeader(EventKind(number: 9_999))
    let read = try EventHeader(canonical: header.encoded)
    #expect(read.kind.number == 9_999)
    #expect(!read.kind.isKnown)
    #expect(read.kind.name == "kind_9999")
  }

  @Test(arguments: [full, least]) func `a cut at any length is no header`(header: EventHeader) {
    for count in 0..<header.encoded.count {
      let cut = Array(header.encoded[..<count])
      // What is left out at the end may be a field that need not be there; then it is another header.
      if let read = try? EventHeader(canonical: cut) { #expect(read.encoded == cut) }
    }
  }

  @Test func `a change of any bit is no header, or another one with these very bytes`() {
    let bytes = Self.full.encoded
    for index in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[index] ^= 1 << bit
        guard let read = try? EventHeader(canonical: changed) else { continue }
        #expect(read.encoded == changed)
        #expect(read != Self.full)
      }
    }
  }

  @Test(
    arguments: [
      // A number longer than it need be; a field at its default; out of order; twice; not known.
      [8, 0x81, 0x00, 32, 16, 128, 1, 1], [8, 1, 16, 0, 32, 16, 128, 1, 1],
      [32, 16, 8, 1, 128, 1, 1], [8, 1, 8, 1, 32, 16, 128, 1, 1],
      [8, 1, 32, 16, 128, 1, 1, 0xf8, 0x01, 1], [8, 2, 32, 16, 128, 1, 1],
    ] as [[UInt8]]
  )
  func `another form is refused`(bytes: [UInt8]) {
    #expect(throws: CanonicalError.self) { try EventHeader(canonical: bytes) }
  }
}
