import Calls
import TestSupport
import Testing

struct IdentifierTests {
  @Test func `an id is a prefix and 26 digits`() {
    var random = Seeded(1)
    let id = Identifier.make(prefix: "call", now: 1_700_000_000_000, random: &random)
    #expect(id.hasPrefix("call_"))
    #expect(id.utf8.count == 31)
    #expect(Identifier.isValid(id))
  }

  @Test func `ids of later milliseconds sort behind`() {
    var random = Seeded(2)
    let ids = (0..<200).map {
      Identifier.make(prefix: "ws", now: 1_700_000_000_000 + UInt64($0), random: &random)
    }
    #expect(ids == ids.sorted())
  }

  @Test func `the digits spell version 7 and the variant`() {
    var random = Seeded(3)
    let id = Identifier.make(prefix: "x", now: 0, random: &random)
    let digits = id.utf8.dropFirst(2).map { byte in
      UInt128(byte < 97 ? byte - 48 : byte - 87)
    }
    let bits = digits.dropLast().reduce(UInt128(0)) { $0 << 5 | $1 } << 3 | digits[25] >> 2
    #expect(bits >> 80 == 0)
    #expect(bits >> 76 & 15 == 7)
    #expect(bits >> 62 & 3 == 2)
  }

  @Test(arguments: ["", "Call_1", "a-b", "a b", "../x", "é", String(repeating: "a", count: 65)])
  func `anything else is no id`(name: String) {
    #expect(!Identifier.isValid(name))
  }
}

struct TicketTests {
  @Test func `a ticket survives its bytes`() {
    var random = Seeded(4)
    let ticket = Ticket(random: &random)
    #expect(ticket.bytes.count == Ticket.byteCount)
    #expect(Ticket(bytes: ticket.bytes) == ticket)
  }

  @Test func `one bit makes another ticket`() {
    var random = Seeded(5)
    let ticket = Ticket(random: &random)
    for bit in 0..<128 {
      var bytes = ticket.bytes
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(Ticket(bytes: bytes) != ticket)
    }
  }

  @Test(arguments: [0, 15, 17]) func `a ticket has 16 bytes`(count: Int) {
    #expect(Ticket(bytes: [UInt8](repeating: 0, count: count)) == nil)
  }
}

struct SessionEpochTests {
  @Test func `an epoch is a plain decimal number`() {
    #expect(SessionEpoch(text: Array("17".utf8)) == SessionEpoch(17))
    #expect(SessionEpoch(text: Array("\(UInt64.max)".utf8)) == SessionEpoch(.max))
    for text in ["", "017", "+1", "-1", "1 ", "0x1", "99999999999999999999"] {
      #expect(SessionEpoch(text: Array(text.utf8)) == nil)
    }
  }
}

struct RequestDigestTests {
  @Test func `the input is tag, length, tool and request`() {
    let expected = Array("gatehouse.call.v1\0".utf8) + [0, 0, 0, 2] + Array("ab".utf8) + [9, 8]
    #expect(RequestDigest.input(tool: "ab", request: [9, 8]) == expected)
  }
}
