import Sandbox
import Testing

@Suite struct `This process, in a process of its own` {
  @Test func `can forbid others to look into it`() async {
    await #expect(processExitsWith: .success) {
      #expect(ThisProcess.isDumpable)
      try ThisProcess.makeUndumpable()
      #expect(!ThisProcess.isDumpable)
    }
  }
}
