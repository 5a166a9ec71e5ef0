import Testing

@testable import TextDiff

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

struct UnifiedDiffTests {
  @Test func `a change is shown with three lines around it`() {
    let old = (1...20).map { "line \($0)\n" }.joined()
    let new = old.replacing("line 10\n", with: "ten\nand more\n")
    let diff = UnifiedDiff.make("a.txt", from: bytes(old), to: bytes(new))
    #expect(
      diff.text == """
        --- a/a.txt
        +++ b/a.txt
        @@ -7,7 +7,8 @@
         line 7
         line 8
         line 9
        -line 10
        +ten
        +and more
         line 11
         line 12
         line 13

        """
    )
    #expect(!diff.isCut)
  }

  @Test func `changes far apart make two hunks`() {
    let old = (1...30).map { "\($0)\n" }.joined()
    let new = old.replacing("\n3\n", with: "\nthree\n").replacing("\n25\n", with: "\n")
    let diff = UnifiedDiff.make("a", from: bytes(old), to: bytes(new)).text
    #expect(diff.contains("@@ -1,6 +1,6 @@\n"))
    #expect(diff.contains("@@ -22,7 +22,6 @@\n"))
  }

  @Test func `a missing newline at the end is shown`() {
    let diff = UnifiedDiff.make("a", from: bytes("one"), to: bytes("one\n")).text
    #expect(diff.hasSuffix("@@ -1,1 +1,1 @@\n-one\n\\ No newline at end of file\n+one\n"))
  }

  @Test func `a new file comes from nothing`() {
    let diff = UnifiedDiff.make("a", from: nil, to: bytes("x\n")).text
    #expect(diff == "--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+x\n")
  }

  @Test func `bytes that are no text have no diff`() {
    #expect(UnifiedDiff.make("a", from: bytes("x"), to: [0]).text.isEmpty)
    #expect(UnifiedDiff.make("a", from: [0xff], to: bytes("x")).text.isEmpty)
  }

  @Test func `a long diff is cut after a whole line`() {
    let new = String(repeating: "0123456789\n", count: 10_000)
    let diff = UnifiedDiff.make("a", from: nil, to: bytes(new))
    #expect(diff.isCut)
    #expect(diff.text.utf8.count <= UnifiedDiff.maxBytes)
    #expect(diff.text.hasSuffix("+0123456789\n"))
  }

  @Test func `a file that is gone is compared with nothing`() {
    let diff = UnifiedDiff.make("a", from: bytes("x\n"), to: nil).text
    #expect(diff == "--- a/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n")
  }
}
