import Calls
import TestSupport
import Testing

/// Broker and daemon joined in memory, driven through random orders of events: cut connections and
/// streams, late and repeated messages, restarts of the daemon with and without its journal, of the
/// plane with what it had recorded, cancels, deadlines.
struct WorldTests {
  /// 144,000 steps; in `make soak` 7,200,000.
  @Test(.timeLimit(.minutes(Soak.count(2, 60))), arguments: 0..<20)
  func `no order of events breaks a call`(batch: Int) {
    for seed in 0..<Soak.count(60, 3_000) {
      var world = World(seed: UInt64(batch * 10_000 + seed))
      for _ in 0..<120 { world.step() }
      world.settle()
      world.check()
    }
  }
}

struct World: ~Copyable {
  private var random: Seeded
  private var plane: PlaneSide
  private var daemon: DaemonSide
  private var wires: [Wire] = []
  private var epoch = SessionEpoch(0)
  private let ids = ["call_a", "call_b", "call_c"]
  private let seed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    random = Seeded(seed)
    plane = PlaneSide(seed: seed ^ 1 << 40)
    daemon = DaemonSide(seed: seed ^ 1 << 41)
  }

  mutating func step() {
    let id = ids[Int.random(in: 0..<ids.count, using: &random)]
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<50: deliver()
    case 50..<62: daemon.produce(id, count: Int.random(in: 1...200, using: &random))
    case 62..<70: plane.read(id)
    case 70..<74: write(id)
    case 74..<76: rejoin(id)
    case 76..<82: submit(id)
    case 82..<88: connect()
    case 88..<91: wires.randomElement(using: &random)?.cut(&random)
    case 91..<93: wires.last?.carries.randomElement(using: &random)?.cut(&random)
    case 93..<94: daemon.restart(keepsJournal: Bool.random(using: &random))
    case 94..<95: restartPlane()
    case 95..<96: if plane.calls[id] != nil { plane.handle(id, .cancel(plane.now)) }
    case 96..<98: daemon.end(id, .exited)
    case 98..<99: stop()
    default: wait(seconds: Int.random(in: 1...8, using: &random))
    }
  }

  private mutating func submit(_ id: String) {
    if plane.calls[id] == nil { plane.submit(id) }
  }

  private mutating func write(_ id: String) {
    let count = Int.random(in: 1...50, using: &random)
    #expect(throws: Never.self) { try plane.write(id, count: count) }
  }

  private mutating func rejoin(_ id: String) {
    #expect(throws: Never.self) { try plane.rejoin(id) }
  }

  private mutating func restartPlane() {
    for wire in wires { wire.abandonByPlane(&random) }
    plane.restart()
  }

  private mutating func connect() {
    guard daemon.wire == nil else { return }
    epoch = epoch.next
    let wire = Wire(epoch: epoch)
    wires.append(wire)
    daemon.connect(wire)
  }

  /// The workspace is stopped: its calls are cancelled, and those that do not end in time are left.
  private mutating func stop() {
    for id in plane.calls.keys.sorted() { plane.handle(id, .cancel(plane.now)) }
    for _ in 0..<Int.random(in: 0...40, using: &random) { deliver() }
    for id in plane.calls.keys.sorted() { plane.handle(id, .workspaceStopped) }
  }

  private mutating func wait(seconds: Int) {
    plane.now += .seconds(seconds)
    for id in plane.calls.keys.sorted() { plane.handle(id, .tick(plane.now, plane.ticket())) }
  }

  /// One message, or one end of a stream, of those that could be next.
  @discardableResult
  private mutating func deliver() -> Bool {
    let carries = wires.flatMap(\.carries)
    let ups = wires.filter(\.toPlane.isBusy)
    let downs = wires.filter(\.toDaemon.isBusy)
    let carryUps = carries.filter(\.up.isBusy)
    let carryDowns = carries.filter(\.down.isBusy)
    let choices = ups.count + downs.count + carryUps.count + carryDowns.count
    guard choices > 0 else { return false }
    var choice = Int.random(in: 0..<choices, using: &random)
    if choice < ups.count { plane.receive(from: ups[choice]); return true }
    choice -= ups.count
    if choice < downs.count { daemon.receive(from: downs[choice]); return true }
    choice -= downs.count
    if choice < carryUps.count { plane.receive(from: carryUps[choice]); return true }
    daemon.receive(from: carryDowns[choice - carryUps.count])
    return true
  }

  /// The weather clears: everything arrives, every tool ends, every owner reads on.
  mutating func settle() {
    for id in ids { submit(id) }
    for round in 0..<60 {
      connect()
      while deliver() {}
      for id in daemon.running { daemon.end(id, .exited) }
      for id in ids { while plane.calls[id].map({ canRead($0) }) == true { plane.read(id) } }
      for id in ids {
        rejoin(id)
        plane.keepEnd(id)
      }
      if round > 2 { wait(seconds: 6) }
    }
  }

  private func canRead(_ call: PlaneSide.PlaneCall) -> Bool {
    var cursor = call.cursor
    return call.log.read(&cursor) != nil
  }

  mutating func check() {
    for id in ids {
      #expect(daemon.starts[id, default: 0] <= 1, "seed \(seed)")
      guard let call = plane.calls[id], let end = call.end else {
        Issue.record("\(id) never ended, seed \(seed), \(String(describing: plane.calls[id]))")
        continue
      }
      check(id, end.outcome, end.reason)
      #expect(call.credit == call.cost, "seed \(seed)")
      #expect(call.stdinCredit <= call.stdinCost)
    }
    checkAdmission()
  }

  /// What is said of the end is what happened.
  private func check(_ id: String, _ outcome: Outcome, _ reason: BrokerCall.Reason) {
    let starts = daemon.starts[id, default: 0]
    switch reason {
    case .reported:
      #expect(outcome == daemon.tools[id]?.outcome, "seed \(seed)")
      guard plane.calls[id]?.isCut == false else { return }
      #expect(plane.calls[id]?.ownerHas == daemon.tools[id]?.ring.end, "seed \(seed)")
    case .refusedByDaemon, .cancelledBeforeStart, .deadlineInQueue, .noLinkInQueue, .notRecorded:
      #expect(starts == 0, "seed \(seed), \(reason)")
    case .newInstance, .unknownToDaemon, .noExit, .noLink, .protocolBroken, .workspaceStopped:
      #expect(outcome == .lost)
    }
  }

  /// Every slot came back.
  private mutating func checkAdmission() {
    plane.admission.open("w", maxCalls: 1000)
    for number in 0..<40 { _ = plane.admission.submit("new_\(number)", by: "p", to: "w") }
    var offered = 0
    while plane.admission.next() != nil { offered += 1 }
    #expect(offered == 32, "seed \(seed)")
  }
}
