import Calls
import DaemonWire
import EventLoop
import Glibc
import Sandbox
import TestSupport
import Testing

@testable import Daemon

@Suite struct `A command that could not be launched` {
  private let root: TemporaryFolder
  private let state: TemporaryFolder
  private let journal: SharedFolder

  init() throws {
    (root, state) = (try TemporaryFolder(), try TemporaryFolder())
    journal = SharedFolder(try StateFolder(state.path))
  }

  @Test func `is not in the journal`() throws {
    let plan = SupervisorPlan(key: [1], arguments: [[1]], environment: [], descriptorLimit: 64)
    let entry = CallJournal(
      tool: "process.exec",
      digest: [],
      requestBytes: 0,
      key: [1],
      deadline: .max,
      isTerminal: false,
      dropsOldest: false,
      ringBytes: 0
    )
    let result = Launch.run(
      plan,
      entry,
      "call_1",
      in: [],
      root: SharedRoot(try Root(root.path)),
      journal: journal,
      program: root.path + "/no-such-program"
    )
    #expect(throws: ToolError.self) { _ = try result.get() }
    #expect(journal.folder.names().isEmpty)
  }

  @Test func `for want of room says where, and what to do`() {
    let error = ToolError(notJournaled: SystemError("make /state/calls/call_1", code: ENOSPC))
    #expect(error.code == "no_space")
    #expect(error.message.contains("daemon's state folder"))
    #expect(error.message.contains("No space left"))
    #expect(error.message.contains("free some"))
    #expect(!error.message.contains("/state"))
  }
}
