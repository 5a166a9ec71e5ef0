import Sandbox
import Testing

@testable import Daemon

@Suite struct `What supervisor and daemon tell each other` {
  static let orders: [SupervisorOrder] = [
    .adopt(key: [1, 2, 3]), .signal(15), .resize(TerminalSize(columns: 300, rows: 2)), .closeInput,
    .end(.timedOut), .release,
  ]

  static let records: [ExitRecord] = [
    ExitRecord(ending: .ended(.exited(255)), cause: .none, treeGone: true, microseconds: 1 << 40),
    ExitRecord(ending: .ended(.signalled(9)), cause: .cancelled, treeGone: false, microseconds: 0),
    ExitRecord(
      ending: .notStarted(SpawnFailure(code: "not_found", message: "ü")),
      cause: .abandoned,
      treeGone: true,
      microseconds: 0
    ),
    ExitRecord(ending: .unknown, cause: .timedOut, treeGone: false, microseconds: 9),
    ExitRecord(
      ending: .ended(.exited(0)),
      cause: .none,
      treeGone: true,
      microseconds: 9,
      unread: [1 << 40, 0]
    ),
  ]

  static let plan = SupervisorPlan(
    key: [9],
    arguments: [[0xff], []],
    environment: [Array("A=".utf8)],
    terminal: TerminalSize(columns: 80, rows: 24),
    hasInput: true,
    view: FileView(hidden: ["/a"], writable: ["/b"]),
    descriptorLimit: 1 << 40
  )

  @Test func `of another version is told by its number`() {
    let other = SupervisorProtocol.OtherVersion(version: 0x7f)
    #expect(throws: other) { try SupervisorOrder(decoding: [0x7f, 6]) }
    #expect(throws: other) { try SupervisorReport(decoding: [0x7f, 9, 9]) }
    #expect(throws: other) { try SupervisorPlan(decoding: [0x7f]) }
  }

  @Test func `of a journal before there were versions is told as well`() {
    #expect(throws: CallJournal.OtherVersion(version: 12)) {
      try CallJournal(decoding: [12, 0, 0, 0] + Array("process.exec".utf8))
    }
  }

  @Test(arguments: orders) func `an order is read as it was written`(order: SupervisorOrder) throws
  {
    #expect(try SupervisorOrder(decoding: order.encoded) == order)
  }

  @Test(arguments: records) func `a record is read as it was written`(record: ExitRecord) throws {
    #expect(try ExitRecord(decoding: record.encoded) == record)
    let report = SupervisorReport.ended(record)
    #expect(try SupervisorReport(decoding: report.encoded) == report)
  }

  @Test func `a plan is read as it was written`() throws {
    #expect(try SupervisorPlan(decoding: Self.plan.encoded) == Self.plan)
  }

  @Test func `a cut record is refused at every length`() {
    for record in Self.records {
      for length in 0..<record.encoded.count {
        #expect(throws: ByteReader.Malformed.self) {
          try ExitRecord(decoding: Array(record.encoded.prefix(length)))
        }
      }
    }
  }

  @Test func `a cut plan is refused at every length`() {
    for length in 0..<Self.plan.encoded.count {
      #expect(throws: ByteReader.Malformed.self) {
        try SupervisorPlan(decoding: Array(Self.plan.encoded.prefix(length)))
      }
    }
  }

  @Test func `nothing may follow`() {
    #expect(throws: ByteReader.Malformed.self) {
      try SupervisorOrder(decoding: SupervisorOrder.release.encoded + [0])
    }
  }
}
