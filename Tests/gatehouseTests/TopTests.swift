import Client
import SwiftProtobuf
import Testing
import Wire

@testable import gatehouse

@Suite struct `The page of top` {
  private func link(_ name: String, output: UInt64, ended: UInt64, epoch: UInt64 = 1)
    -> Gatehouse_Plane_V1_Link
  {
    .with {
      $0.workspaceID = "ws_\(name)"
      $0.workspaceName = name
      $0.sessionEpoch = epoch
      $0.sinceUnixUs = 1_000_000
      $0.daemonVersion = "toold/1\u{1B}[2J"
      $0.runningCalls = 1
      $0.endedCalls = ended
      $0.outputBytes = output
    }
  }

  private func sample(_ links: [Gatehouse_Plane_V1_Link], after: Duration) -> TopSample {
    let call = Gatehouse_Tools_V1_CallInfo.with {
      $0.callID = "call_1"
      $0.workspaceID = "ws_a"
      $0.tool = "process.exec"
      $0.state = .running
      $0.createdUnixUs = 60_000_000
      $0.totals = [.with { $0.bytes = 2048 }]
    }
    return TopSample(at: Self.start + after, links: links, calls: [call], hasMoreCalls: false)
  }

  private static let start = ContinuousClock.now

  private let view = TopView(
    plane: "localhost:1",
    style: Style(isColoured: false),
    now: 121_000,
    interval: nil
  )

  @Test func `has the rates between two samples; a new link counts from nothing`() {
    let before = sample([link("a", output: 1024, ended: 3)], after: .zero)
    let now = sample(
      [link("a", output: 5120, ended: 4), link("b", output: 2048, ended: 0, epoch: 2)],
      after: .seconds(2)
    )
    #expect(
      view.lines(now, before: before) == [
        "gatehouse localhost:1  2 links  2 running  0 waiting  0.5 calls/s  3.0 KiB/s out  0 B/s in",
        "",
        "WORKSPACE  UP  RUNNING  WAITING  ENDED  CALLS/S  OUTPUT   OUTPUT/S   DAEMON",
        "a          2m  1        0        4      0.5      5.0 KiB  2.0 KiB/s  toold/1\u{FFFD}[2J",
        "b          2m  1        0        0      0        2.0 KiB  1.0 KiB/s  toold/1\u{FFFD}[2J",
        "",
        "CALL    WORKSPACE  TOOL          STATE    AGE  OUTPUT",
        "call_1  a          process.exec  running  61s  2.0 KiB",
      ]
    )
  }

  @Test func `fits the screen`() {
    let links = (0..<50).map { link("w\($0)", output: 0, ended: 0) }
    let lines = view.lines(sample(links, after: .zero), before: nil, columns: 40, rows: 10)
    #expect(lines.count == 10)
    #expect(lines.allSatisfy { $0.count <= 40 })
    #expect(lines.last == "… 47 more lines")
  }

  @Test func `cuts what is seen, not the colours`() {
    #expect(TopView.cut("\u{1B}[1mbold\u{1B}[0m rest", to: 6) == "\u{1B}[1mbold\u{1B}[0m r")
    #expect(TopView.cut("short", to: 6) == "short")
  }

  @Test(arguments: [(0.0, "0"), (0.04, "0"), (0.05, "0.1"), (9.94, "9.9"), (12.4, "12")])
  func `has rates for people`(value: Double, text: String) { #expect(TopView.rate(value) == text) }
}
