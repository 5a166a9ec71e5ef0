import Testing

@testable import gatehouse_bench

@Suite struct `Resident memory` {
  @Test func `is read from a process's status`() {
    let status = "Name:\ttoold\nVmHWM:\t   10912 kB\nVmRSS:\t    4800 kB\nRssAnon:\t1124 kB\n"
    #expect(ResidentMemory.kibibytes(inStatus: status) == 4_800)
  }

  @Test func `is unknown of a process that has ended`() {
    #expect(ResidentMemory.kibibytes(inStatus: "Name:\ttoold\nState:\tZ (zombie)\n") == nil)
  }
}
