import DaemonWire
import Testing

@testable import Daemon

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

struct EditBatchTests {
  private func apply(_ edits: [Edit], to text: String) throws(ToolError) -> String {
    let result = try EditBatch(edits).apply(to: bytes(text), named: "'a'")
    return String(decoding: result.content, as: UTF8.self)
  }

  private func edit(_ old: String, _ new: String, all: Bool = false) -> Edit {
    Edit(oldText: bytes(old), newText: bytes(new), replaceAll: all)
  }

  @Test func `edits see what the ones before them left`() throws {
    #expect(try apply([edit("a", "b"), edit("b c", "d")], to: "a c") == "d")
  }

  @Test func `all matches are replaced when asked`() throws {
    let result = try EditBatch([edit("aa", "b", all: true)]).apply(to: bytes("aaaaa"), named: "")
    #expect(result.content == bytes("bba"))
    #expect(result.replacements == 2)
  }

  @Test(.timeLimit(.minutes(5)))
  func `replacements that would grow beyond the bound are refused before they are made`() {
    let content = [UInt8](repeating: UInt8(ascii: "a"), count: 16 << 20)
    let edit = Edit(
      oldText: Array("a".utf8),
      newText: [UInt8](repeating: UInt8(ascii: "b"), count: 90_000),
      replaceAll: true
    )
    let error = #expect(throws: ToolError.self) {
      try EditBatch([edit]).apply(to: content, named: "'f'")
    }
    #expect(error?.code == "too_large")
  }

  @Test func `text that is there twice names the lines`() {
    let error = #expect(throws: ToolError.self) {
      try apply([edit("x", "y")], to: "x\n\n x\nx")
    }
    #expect(error?.code == "ambiguous_match")
    #expect(error?.message.contains("3 times in 'a', at lines 1, 3, 4") == true)
  }

  @Test func `overlapping matches are two`() {
    let error = #expect(throws: ToolError.self) { try apply([edit("aa", "b")], to: "aaa") }
    #expect(error?.code == "ambiguous_match")
  }

  @Test func `text that is not there names the nearest line and what it reads`() {
    let file = "func a() {\n  one()\n}\n\nfunc b() {\n  two()\n  three()\n}\n"
    let error = #expect(throws: ToolError.self) {
      try apply([edit("func b() {\n  two()\n  tree()\n}\n", "")], to: file)
    }
    #expect(error?.code == "no_match")
    #expect(
      error?.message.contains("begins at line 5, where line 7 reads '  three()'") == true,
      "\(error?.message ?? "")"
    )
  }

  @Test func `white space that differs is named`() {
    let error = #expect(throws: ToolError.self) {
      try apply([edit("\tx = 1\n\ty = 2\n", "")], to: "\n  x = 1\n  y = 2\n")
    }
    #expect(error?.message.contains("line 2 begins the same text with other white space") == true)
    let crlf = #expect(throws: ToolError.self) {
      try apply([edit("a1\nb\n", "")], to: "a1\r\nb\r\n")
    }
    #expect(crlf?.message.contains("line ends") == true)
  }

  @Test func `a line that is only like it is found`() {
    let error = #expect(throws: ToolError.self) {
      try apply([edit("let totalCount = 5", "")], to: "zzz\nlet totalCuont = 5\n")
    }
    #expect(error?.message.contains("line 2 reads 'let totalCuont = 5'") == true)
  }

  @Test func `nothing alike is said so`() {
    let error = #expect(throws: ToolError.self) { try apply([edit("qqqq", "")], to: "abc\ndef\n") }
    #expect(error?.message.contains("nor anything like it") == true)
  }

  @Test func `text that is there very often is counted only so far`() {
    let error = #expect(throws: ToolError.self) {
      try apply([edit("x", "y")], to: String(repeating: "x\n", count: 5_000))
    }
    #expect(error?.message.contains("1000 or more times in 'a', at lines 1, 2, 3") == true)
  }

  @Test func `a file with very many lines has no nearest one`() {
    let file = String(repeating: "abc\n", count: NearestText.maxLines + 1)
    let error = #expect(throws: ToolError.self) { try apply([edit("abd", "")], to: file) }
    #expect(error?.code == "no_match")
    #expect(error?.message.contains("nor anything like it") == false)
  }

  @Test(arguments: [true, false]) func `a cancelled edit stops`(all: Bool) {
    let cancellation = Cancellation()
    cancellation.cancel()
    let error = #expect(throws: ToolError.self) {
      try EditBatch([edit("a", "b", all: all)]).apply(to: bytes("xa"), named: "'a'", cancellation)
    }
    #expect(error?.code == "unavailable")
    let search = #expect(throws: ToolError.self) {
      try NearestText.find(bytes("a"), in: bytes("b"), cancellation)
    }
    #expect(search?.code == "unavailable")
  }

  @Test func `edits that could never be applied are refused`() {
    for edits in [[], [edit("", "x")], [edit("x", "x")], (0..<257).map { edit("\($0)", "") }] {
      let error = #expect(throws: ToolError.self) { try EditBatch(edits) }
      #expect(error?.code == "invalid_argument")
    }
  }
}

struct ByteSearchTests {
  @Test func `matches are where a slow search finds them`() throws {
    for _ in 0..<500 {
      let text = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...2) }
      let needle = (0..<Int.random(in: 1...4)).map { _ in UInt8.random(in: 0...2) }
      let slow = text.indices.filter { text[$0...].starts(with: needle) }
      #expect(try matches(of: needle, in: text) == slow)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a text that nearly matches everywhere is not slow`() throws {
    let a = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
    let half = Array(a[..<(256 << 10)])
    let needle: [UInt8] = half + bytes("b") + half
    #expect(try matches(of: needle, in: a) == [])
    #expect(try matches(of: needle, in: a + needle + a) == [1 << 20])
  }

  private func matches(of needle: [UInt8], in text: [UInt8]) throws -> [Int] {
    var matches: [Int] = []
    try ByteSearch(needle).forEachMatch(in: text, overlapping: true, Cancellation()) { match in
      matches.append(match)
      return true
    }
    return matches
  }
}

struct LineSelectionTests {
  private func select(
    _ text: String,
    _ first: UInt64,
    _ last: UInt64,
    max: Int = 100,
    block: Int = 1
  ) -> LineSelection {
    var selection = LineSelection(LineRange(first: first, last: last), maxBytes: max)
    let bytes = bytes(text)
    for start in stride(from: 0, to: bytes.count, by: block) {
      selection.take(Array(bytes[start..<min(bytes.count, start + block)]))
    }
    selection.finish()
    return selection
  }

  @Test(arguments: [1, 2, 3, 100])
  func `lines are picked whatever the blocks`(block: Int) {
    let selection = select("one\ntwo\nthree\nfour", 2, 3, block: block)
    #expect(selection.content == bytes("two\nthree\n"))
    #expect(selection.offset == 4)
    #expect(selection.totalLines == 4)
    #expect(selection.totalBytes == 18)
    #expect(!selection.isCut)
  }

  @Test(arguments: [1, 2, 100])
  func `a cut selection ends after a whole line`(block: Int) {
    let selection = select("one\ntwo\nthree\n", 1, 0, max: 10, block: block)
    #expect(selection.content == bytes("one\ntwo\n"))
    #expect(selection.isCut)
  }

  @Test(arguments: [1, 2, 100])
  func `a line that is too long is cut within`(block: Int) {
    let selection = select("0123456789\nx\n", 1, 1, max: 4, block: block)
    #expect(selection.content == bytes("0123"))
    #expect(selection.isCut)
  }

  @Test func `a range that just fits is not cut`() {
    #expect(!select("abc\ndef\n", 1, 1, max: 4).isCut)
    #expect(!select("abc", 1, 0, max: 3, block: 3).isCut)
  }

  @Test func `past the end there is nothing`() {
    let selection = select("one\n", 5, 9)
    #expect(selection.content.isEmpty)
    #expect(selection.offset == 4)
    #expect(selection.totalLines == 1)
  }
}
