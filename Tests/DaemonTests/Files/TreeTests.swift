import Testing

@testable import Daemon

struct GlobTests {
  private func glob(_ pattern: String) -> Glob { Glob(Array(pattern.utf8)[...]) }

  @Test(
    arguments: [
      ("*.swift", "a.swift"), ("*.swift", "x/y/a.swift"), ("a*b*c", "aXbYbc"), ("?", "ä"),
      ("[a-c]x", "bx"), ("[!a-c]x", "dx"), ("[]]", "]"), ("[", "["), (#"\*"#, "*"),
      ("src/*.c", "src/a.c"), ("**/a", "a"), ("**/a", "x/y/a"), ("a/**", "a/b/c"),
      ("a/**/b", "a/b"), ("a/**/b", "a/x/y/b"), ("/a", "a"), ("**", "anything/at/all"), ("*", ".x"),
      ("a/**/b/**/c", "a/b/x/b/c"),
    ])
  func `a glob matches`(glob: String, path: String) {
    #expect(self.glob(glob).matches(Array(path.utf8)))
  }

  @Test(
    arguments: [
      ("*.swift", "a.swiftx"), ("a*b", "acbd"), ("?", ""), ("?", "ab"), ("[a-c]x", "dx"),
      (#"\*"#, "a"), ("src/*.c", "src/x/a.c"), ("src/*.c", "a.c"), ("a/**", "a"), ("/a", "x/a"),
      ("a/b", "a/b/c"), ("", "a"),
    ])
  func `a glob does not match`(glob: String, path: String) {
    #expect(!self.glob(glob).matches(Array(path.utf8)))
  }

  @Test(.timeLimit(.minutes(5))) func `many stars are not slow`() {
    let glob = self.glob(String(repeating: "*a", count: 40))
    #expect(!glob.matches([UInt8](repeating: UInt8(ascii: "a"), count: 5_000) + [0x62]))
    let deep = self.glob(String(repeating: "**/a/", count: 30) + "b")
    #expect(!deep.matches(Array(String(repeating: "a/", count: 500).utf8)))
  }
}

struct IgnoreFileTests {
  private let file = IgnoreFile(
    Array("# comment\n\n*.log\n!keep.log\nbuild/\n/top\na/*.tmp\n\\#x\nspace\\ \r\n".utf8)
  )

  @Test(
    arguments: [
      ("x.log", false), ("d/x.log", false), ("build", true), ("d/build", true), ("top", false),
      ("a/x.tmp", false), ("#x", false), ("space ", false),
    ])
  func `a path is left out`(path: String, isFolder: Bool) {
    #expect(file.ignores(Array(path.utf8), isFolder: isFolder) == true)
  }

  @Test(arguments: [("build", false), ("d/top", false), ("b/a/x.tmp", false), ("comment", false)])
  func `no rule speaks of a path`(path: String, isFolder: Bool) {
    #expect(file.ignores(Array(path.utf8), isFolder: isFolder) == nil)
  }

  @Test func `a later rule takes it back`() {
    #expect(file.ignores(Array("d/keep.log".utf8), isFolder: false) == false)
  }
}
