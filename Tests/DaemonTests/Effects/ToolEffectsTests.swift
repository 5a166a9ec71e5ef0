import Crypto
import DaemonWire
import Glibc
import TestSupport
import Testing

@testable import Daemon

struct `What a file tool changed`: WithTestedTools {
  let tested: TestedTools

  init() throws { tested = try TestedTools() }

  private func effects(_ tool: String, _ request: some WireMessage) throws -> Effects {
    tools.perform(tool: tool, request: try request.encoded()).effects
  }

  @Test func `is the file as it was and is`() throws {
    try folder.write("one\n", to: "a.txt")
    let effects = try effects(
      "files.edit",
      EditRequest(
        path: bytes("./a.txt"),
        edits: [Edit(oldText: bytes("one"), newText: bytes("two"))]
      )
    )
    #expect(effects.source == .tool)
    #expect(effects.lines == ["modified a.txt"])
    #expect(effects.files.first?.before?.string == "one\n")
    #expect(effects.files.first?.before?.sha256 == SHA256.hash(bytes("one\n")))
    #expect(effects.files.first?.after?.string == "two\n")
    #expect(effects.files.first?.after?.mode == effects.files.first?.before?.mode)
  }

  @Test func `includes folders that it made`() throws {
    let effects = try effects(
      "files.write",
      WriteRequest(path: bytes("d/e/a.txt"), content: bytes("x\n"), makeParents: true)
    )
    #expect(effects.lines == ["created d", "created d/e", "created d/e/a.txt"])
    #expect(effects.files[0].after?.type == .directory)
  }

  @Test func `includes folders that it made where it failed behind them`() throws {
    let long = String(repeating: "x", count: 256)
    let effects = try effects(
      "files.write",
      WriteRequest(path: bytes("d/e/\(long)/a.txt"), content: bytes("x\n"), makeParents: true)
    )
    #expect(effects.lines == ["created d", "created d/e"])
    #expect(effects.incomplete.isEmpty)
  }

  @Test(.enabled(if: getuid() != 0)) func `is nothing where it may not write`() throws {
    try folder.write("x", to: "d/a.txt")
    _ = unsafe chmod(folder.path + "/d", 0o500)
    defer { _ = unsafe chmod(folder.path + "/d", 0o700) }
    let request = WriteRequest(path: bytes("d/b.txt"), content: bytes("x\n"))
    #expect(try effects("files.write", request) == Effects(source: .tool))
  }

  @Test(arguments: [1_023, 1_024, 1_025, 5_000])
  func `keeps each reason within what the plane takes`(count: Int) throws {
    var report = EffectsReport(.scan)
    // Two bytes each, behind one: the bound falls between them.
    let reason = "x" + String(repeating: "é", count: (count - 1) / 2)
    report.note(incomplete: reason)
    let kept = try #require(report.finished().incomplete.first)
    #expect(kept.utf8.count <= 1_024)
    #expect(kept.utf8.count > 1_019)
    #expect(reason.hasPrefix(kept.hasSuffix("…") ? String(kept.dropLast()) : kept))
  }

  @Test func `is the file that a link leads to`() throws {
    try folder.write("one\n", to: "d/a.txt")
    try folder.link("l", to: "d/a.txt")
    let effects = try effects("files.write", WriteRequest(path: bytes("l"), content: bytes("x\n")))
    #expect(effects.lines == ["modified d/a.txt"])
  }

  @Test func `is a diff where the file is too large to be kept`() throws {
    let old = String(repeating: "0123456789abcde\n", count: 8 * 1_024)
    try folder.write(old, to: "a.txt")
    let effects = try effects(
      "files.write",
      WriteRequest(path: bytes("a.txt"), content: bytes("first\n" + old))
    )
    let file = try #require(effects.files.first)
    #expect(file.before?.kept == .tooLarge)
    #expect(file.after?.text == [])
    #expect(file.diff.contains("+first\n"))
    #expect(!file.diffTruncated)
  }

  @Test func `is nothing where it refused, or wrote what was there`() throws {
    try folder.write("one\n", to: "a.txt")
    let none = Effects(source: .tool)
    let edit = EditRequest(
      path: bytes("a.txt"),
      edits: [Edit(oldText: bytes("absent"), newText: bytes("two"))]
    )
    #expect(try effects("files.edit", edit) == none)
    #expect(
      try effects("files.write", WriteRequest(path: bytes("a.txt"), content: bytes("one\n")))
        == none
    )
    #expect(try effects("files.read", ReadRequest(path: bytes("a.txt"))) == none)
  }
}
