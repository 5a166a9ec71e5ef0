import SwiftProtobuf
import Testing
import Wire

@testable import gatehouse

@Suite struct `The list of calls` {
  private func call(
    in workspace: String,
    _ summary: String = "make test"
  ) -> Gatehouse_Tools_V1_CallInfo {
    .with {
      $0.callID = "call_1"
      $0.workspaceID = workspace
      $0.tool = "process.exec"
      $0.state = .running
      $0.createdUnixUs = 60_000_000
      $0.summary = summary
    }
  }

  @Test func `names the workspace and says how old a call is`() {
    let workspace = Gatehouse_Plane_V1_Workspace.with {
      $0.id = "ws_a"
      $0.name = "a1"
    }
    let rows = CallList.rows(
      [call(in: "ws_a"), call(in: "ws_gone")],
      [workspace],
      now: 75_000
    )
    #expect(
      rows == [
        ["call_1", "a1", "process.exec", "15s", "running", "", "0 B", "make test"],
        ["call_1", "ws_gone", "process.exec", "15s", "running", "", "0 B", "make test"],
      ]
    )
  }

  @Test(arguments: [
    ("", ""), ("\n\ncd src\nmake", "cd src…"), ("echo \u{1b}[2J", "echo \u{fffd}[2J"),
    (String(repeating: "x", count: 70), String(repeating: "x", count: 60) + "…"),
  ])
  func `shows a line of what was asked for`(summary: String, shown: String) {
    #expect(CallList.rows([call(in: "ws_a", summary)], [], now: 0).first?.last == shown)
  }
}
