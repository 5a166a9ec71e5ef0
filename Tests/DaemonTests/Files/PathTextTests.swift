import Testing

@testable import Daemon

@Suite struct PathTextTests {
  @Test func `bytes that are no text are escaped`() {
    #expect(PathText.quoted(Array("a b/é".utf8)) == "'a b/é'")
    #expect(PathText.quoted([0x61, 0x0a, 0xff]) == "'a\\x0a\\xff'")
  }

  /// What is said about it must fit a message, whatever a request brings.
  @Test func `a path longer than any is cut, and its length told`() {
    let text = PathText.escaped([UInt8](repeating: 0xff, count: 900_000))
    #expect(text == String(repeating: "\\xff", count: 4_096) + "… (900000 bytes)")
  }
}
