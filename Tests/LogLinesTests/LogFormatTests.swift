import FoundationEssentials
import Testing

@testable import LogLines

@Suite struct `A line of the log` {
  private func record(_ fields: [(key: String, value: String)]) -> LogRecord {
    LogRecord(time: 1_709_210_096_007, level: .info, event: "call_ended", fields: fields)
  }

  @Test func `is text for people`() {
    #expect(
      LogFormat.text.line(
        record([("call", "call_1"), ("reason", "a \"b\"\n\u{1B}[2J"), ("x", "")])
      )
        == "2024-02-29T12:34:56.007Z info    call_ended call=call_1 "
        + "reason=\"a \\\"b\\\"\\n\\u001b[2J\" x=\"\"\n"
    )
  }

  @Test func `is one JSON object for programs`() throws {
    let line = LogFormat.json.line(
      record([
        ("bytes", "12"), ("id", "0012"), ("reason", "a \"b\"\\\n\u{1B}ü"),
        ("big", "9007199254740993"),
      ])
    )
    #expect(line.hasSuffix("}\n"))
    #expect(line.count { $0 == "\n" } == 1)
    let object = try JSONDecoder().decode(Object.self, from: Data(line.utf8))
    #expect(object.time == "2024-02-29T12:34:56.007Z")
    #expect(object.level == "info")
    #expect(object.event == "call_ended")
    #expect(object.bytes == 12)
    #expect(object.id == "0012")
    #expect(object.big == "9007199254740993")
    #expect(object.reason == "a \"b\"\\\n\u{1B}ü")
  }

  private struct Object: Decodable {
    let time: String, level: String, event: String, bytes: Int, id: String, reason: String
    let big: String
  }

  @Test func `has no value longer than a kilobyte`() {
    let long = String(repeating: "x", count: 5_000)
    #expect(LogFormat.text.line(record([("a", long)])).utf8.count < 1_200)
    #expect(LogFormat.json.line(record([("a", long)])).utf8.count < 1_200)
  }

  @Test(arguments: [
    (UInt64(0), "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
    (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    (1_767_225_599_000, "2025-12-31T23:59:59.000Z"),
  ])
  func `has its time in RFC 3339`(milliseconds: UInt64, text: String) {
    #expect(Timestamp.text(milliseconds) == text)
  }
}
