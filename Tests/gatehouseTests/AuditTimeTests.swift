internal import LogLines
internal import Testing

@testable internal import gatehouse

@Suite struct `Times of an audit` {
  private let now: UInt64 = 1_790_000_000_000_000

  @Test(arguments: [("30s", 30), ("10m", 600), ("2h", 7_200), ("7d", 604_800)])
  func `are so long ago`(text: String, seconds: UInt64) {
    #expect(AuditTime(text, now: now)?.microseconds == now - seconds * 1_000_000)
  }

  @Test func `are read as the log writes them`() throws {
    for day in stride(from: UInt64(0), to: 40_000, by: 37) {
      let milliseconds = day * 86_400_000 + 3_723_000
      let text = Timestamp.text(milliseconds).replacing(".000Z", with: "Z")
      #expect(AuditTime(text, now: now)?.microseconds == milliseconds * 1_000)
    }
    #expect(AuditTime("1970-01-02", now: now)?.microseconds == 86_400_000_000)
  }

  @Test(arguments: [
    "", "m", "10", "10x", "-5m", "2026-13-01", "2026-01-01T25:00:00Z", "2026-01-01T1:2Z", "now",
  ])
  func `and nothing else`(text: String) { #expect(AuditTime(text, now: now) == nil) }
}
