import Client
import FoundationEssentials
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@Suite struct RenderingTests {
  @Test func `a tool's text can't drive the terminal`() {
    #expect(Plain.text("a\u{1B}[2Jb\r\n\tc\u{9B}d") == "a\u{FFFD}[2Jb\n\tc\u{FFFD}d")
  }

  private static let sizes: [(UInt64, String)] = [
    (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1 << 30, "1.0 GiB"),
  ]

  @Test(arguments: sizes)
  func `sizes are short`(bytes: UInt64, text: String) {
    #expect(Plain.size(bytes) == text)
  }

  @Test func `columns line up`() {
    let table = Table.text(
      ["A", "B"],
      [["long", "x"], ["y", ""]],
      style: Style(isColoured: false)
    )
    #expect(table == "A     B\nlong  x\ny")
  }

  @Test func `a diff is coloured line by line`() {
    let style = Style(isColoured: true)
    #expect(
      style.diff("@@ -1 +1 @@\n-a\n+b\n c\n")
        == "\u{1B}[36m@@ -1 +1 @@\u{1B}[0m\n\u{1B}[31m-a\u{1B}[0m\n\u{1B}[32m+b\u{1B}[0m\n c"
    )
    #expect(Style(isColoured: false).diff("-a") == "-a")
  }

  private final class Lines: Sendable {
    private let state = Mutex<[String]>([])
    func add(_ text: String) { state.withLock { $0.append(text) } }
    var all: [String] { state.withLock { $0 } }
  }

  @Test func `an answer that was cut goes on, or begins anew on a line of its own`() throws {
    let (words, talk) = (Lines(), Lines())
    var printer = ChatPrinter(
      style: Style(isColoured: false),
      words: { words.add($0) },
      talk: { talk.add($0) }
    )
    let retrying = Gatehouse_Plane_V1_FollowChatResponse.OneOf_Event.retrying(
      .with { $0.reason = "cut" }
    )
    let updates: [Gatehouse_Plane_V1_FollowChatResponse.OneOf_Event] = [
      .text(.with { $0.text = "Hel" }), retrying, .text(.with { $0.text = "lo" }), retrying,
      .text(
        .with {
          $0.text = "Hey"
          $0.anew = true
        }
      ),
    ]
    for update in updates { try printer.show(.with { $0.event = update }) }
    #expect(words.all.joined() == "Hello\nHey")
    #expect(talk.all.filter { !$0.isEmpty }.last == "… the answer begins anew")
  }

  @Test func `a chat is shown as it goes, with long output counted`() throws {
    let (words, talk) = (Lines(), Lines())
    var printer = ChatPrinter(
      style: Style(isColoured: false),
      words: { words.add($0) },
      talk: { talk.add($0) }
    )
    let updates: [Gatehouse_Plane_V1_FollowChatResponse.OneOf_Event] = [
      .text(.with { $0.text = "I look." }),
      .toolStarted(
        .with {
          $0.callID = "1"
          $0.tool = "process.exec"
          $0.summary = "$ ls"
        }
      ),
      .toolOutput(
        .with {
          $0.callID = "1"
          $0.data = .init((1...14).map { "\($0)\n" }.joined().utf8)
        }
      ),
      .toolEnded(.with { $0.callID = "1" }),
      .ended(
        .with {
          $0.state = .completed
          $0.steps = 1
          $0.calls = 1
        }
      ),
    ]
    for update in updates { try printer.show(.with { $0.event = update }) }
    #expect(words.all == ["I look.", "\n"])
    #expect(talk.all.first == "● process.exec $ ls")
    #expect(talk.all.dropFirst().prefix(12).map { $0.suffix(2) }.last == "12")
    #expect(
      talk.all.suffix(3) == ["  │ … 2 more lines", "  ✓ done", "✓ completed (1 step, 1 call)"]
    )
  }
}
