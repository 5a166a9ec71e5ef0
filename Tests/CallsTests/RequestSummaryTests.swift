import Calls
import Testing

@Suite struct `A request in short` {
  /// Field 1 with each of these, then field 2 with a zero.
  private func summary(_ words: String...) -> String {
    var request: [UInt8] = []
    for word in words {
      let bytes = Array(word.utf8)
      request.append(0x0a)
      var length = bytes.count
      while length > 0x7f {
        request.append(UInt8(length & 0x7f) | 0x80)
        length >>= 7
      }
      request += [UInt8(length)] + bytes
    }
    return RequestSummary.make(request + [0x10, 0])
  }

  @Test func `is its words, in quotes where they hold blanks`() {
    #expect(summary("grep", "-n", "a b", "") == "grep -n 'a b' ''")
    #expect(summary("make test") == "make test")
    #expect(summary("src/é.swift") == "src/é.swift")
    #expect(summary() == "")
  }

  @Test func `is cut between characters`() {
    let long = String(repeating: "é", count: 150)
    #expect(summary(long) == String(repeating: "é", count: 100) + "…")
    #expect(summary("x", long) == "x " + String(repeating: "é", count: 99) + "…")
    let whole = String(repeating: "x", count: RequestSummary.maxBytes)
    #expect(summary(whole) == whole)
    #expect(summary(whole, "y") == whole + "…")
    #expect(summary(String(repeating: "x", count: 1 << 20)) == whole + "…")
  }

  @Test(arguments: [
    [], [0x0a], [0x0a, 5, 1], [0x12, 1, 65], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff],
  ])
  func `of what is no request is empty`(request: [UInt8]) {
    #expect(RequestSummary.make(request) == "")
  }

  @Test func `of what is no text has marks in place of it`() {
    #expect(RequestSummary.make([0x0a, 2, 0xff, 0x41]) == "\u{fffd}A")
  }
}
