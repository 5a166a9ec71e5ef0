import Testing

@testable import RegularExpression

struct PatternTests {
  private func match(
    _ pattern: String,
    _ text: String,
    literal: Bool = false,
    ignoreCase: Bool = false
  ) throws -> Pattern.OnMatch {
    let pattern = try Pattern(pattern, literal: literal, ignoreCase: ignoreCase)
    return pattern.firstMatch(in: Array(text.utf8).span)
  }

  @Test func `a match is told by its first byte`() throws {
    #expect(try match("b+", "aäbb") == .found(3))
    #expect(try match("x", "abc") == .none)
    #expect(try match("^$", "") == .found(0))
  }

  @Test func `a literal has no special characters`() throws {
    #expect(try match("a.b*", "aXb a.b*", literal: true) == .found(4))
    #expect(try match("(", "f(x)", literal: true) == .found(1))
  }

  @Test func `case is ignored beyond ASCII`() throws {
    #expect(try match("ÄPFEL", "zwei äpfel", ignoreCase: true) == .found(5))
    #expect(try match("ÄPFEL", "zwei äpfel") == .none)
  }

  @Test func `text that is not UTF-8 is searched around its bad bytes`() throws {
    let pattern = try Pattern("name", literal: false, ignoreCase: false)
    #expect(pattern.firstMatch(in: ([0xff, 0xfe] + Array("name".utf8) + [0x80]).span) == .found(2))
  }

  @Test(arguments: ["(a", "[", "a{2,1}", "(?<n", #"\C"#])
  func `a broken pattern names what is wrong and where`(pattern: String) {
    let error = #expect(throws: PatternError.self) {
      _ = try Pattern(pattern, literal: false, ignoreCase: false)
    }
    #expect(error?.description.contains(" at byte ") == true)
  }

  @Test(.timeLimit(.minutes(5)), arguments: ["(a+)+$", "^(a|a)*$", "(?=(a+))a*b"])
  func `a pattern that backtracks for ever is stopped`(pattern: String) throws {
    let text = String(repeating: "a", count: 40_000) + "!"
    #expect(try match(pattern, text) != .found(0))
  }

  @Test func `a limit is not taken for no match`() throws {
    #expect(try match("^(a+)+$", String(repeating: "a", count: 60) + "!") == .limited)
  }
}
