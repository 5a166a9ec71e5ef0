import Calls
import TestSupport
import Testing

struct AdmissionTests {
  @Test func `principals take turns`() {
    var admission = NamedAdmission()
    for number in 0..<3 { _ = admission.submit("a\(number)", by: "anna", to: "w") }
    for number in 0..<2 { _ = admission.submit("b\(number)", by: "ben", to: "w") }
    admission.open("w", maxCalls: 100)
    #expect(Self.drain(&admission) == ["a0", "b0", "a1", "b1", "a2"])
  }

  @Test func `offers that nobody claimed are bounded for each daemon`() {
    var limits = Admission.Limits()
    limits.unclaimedPerDaemon = 2
    var admission = NamedAdmission(limits: limits)
    admission.open("w", maxCalls: 100)
    for number in 0..<4 { _ = admission.submit("c\(number)", by: "p", to: "w") }
    #expect(Self.drain(&admission) == ["c0", "c1"])
    admission.claimed("c1")
    admission.claimed("c1")
    #expect(Self.drain(&admission) == ["c2"])
    admission.ended("c0")
    #expect(Self.drain(&admission) == ["c3"])
  }

  @Test(arguments: [1, 2, 3, 7, 300])
  func `calls that end while they wait leave the others in order`(kept: Int) {
    var limits = Admission.Limits()
    limits.unclaimedPerDaemon = 1_000
    var admission = NamedAdmission(limits: limits)
    let calls = (0..<300).map { "c\($0)" }
    for call in calls { _ = admission.submit(call, by: "p", to: "w") }
    for (number, call) in calls.enumerated() where !number.isMultiple(of: kept) {
      admission.ended(call)
    }
    _ = admission.submit("last", by: "q", to: "w")
    #expect(admission.waiting(for: "w") == (299 / kept + 1) + 1)
    admission.open("w", maxCalls: 1_000)
    var expected = stride(from: 0, to: 300, by: kept).map { "c\($0)" }
    expected.insert("last", at: min(1, expected.count))
    #expect(Self.drain(&admission) == expected)
    #expect(admission.waiting(for: "w") == 0)
  }

  @Test func `and in all, in turn`() {
    var limits = Admission.Limits()
    limits.unclaimed = 2
    var admission = NamedAdmission(limits: limits)
    for workspace in ["v", "w"] {
      admission.open(workspace, maxCalls: 100)
      for number in 0..<2 { _ = admission.submit("\(workspace)\(number)", by: "p", to: workspace) }
    }
    #expect(Self.drain(&admission) == ["v0", "w0"])
    admission.claimed("w0")
    admission.claimed("v0")
    #expect(Self.drain(&admission) == ["v1", "w1"])
  }

  @Test func `a daemon has its own bound, and takes nothing while it is closed`() {
    var admission = NamedAdmission()
    for number in 0..<3 { _ = admission.submit("c\(number)", by: "p", to: "w") }
    #expect(Self.drain(&admission) == [])
    admission.open("w", maxCalls: 1)
    #expect(Self.drain(&admission) == ["c0"])
    admission.claimed("c0")
    #expect(Self.drain(&admission) == [])
    admission.ended("c0")
    #expect(Self.drain(&admission) == ["c1"])
    admission.close("w")
    admission.ended("c1")
    #expect(Self.drain(&admission) == [])
  }

  @Test func `beyond the queue a call is turned down with a delay`() {
    var limits = Admission.Limits()
    limits.queuedPerDaemon = 2
    var admission = NamedAdmission(limits: limits)
    #expect(admission.submit("a", by: "p", to: "w") == .queued)
    #expect(admission.submit("b", by: "p", to: "w") == .queued)
    #expect(admission.submit("c", by: "p", to: "w") == .full(retryAfter: .milliseconds(102)))
    admission.ended("a")
    #expect(admission.submit("c", by: "p", to: "w") == .queued)
    #expect(admission.waiting(for: "w") == 2)
  }

  @Test func `a queue that one has filled has room for others`() {
    var limits = Admission.Limits()
    limits.queuedPerDaemon = 6
    var admission = NamedAdmission(limits: limits)
    func submit(_ call: String, _ principal: String) -> Bool {
      admission.submit(call, by: principal, to: "w") == .queued
    }
    let first = (0..<8).filter { submit("a\($0)", "anna") }
    #expect(first == Array(0..<6))
    // Half of it is ben's, then a third chloe's, while all together stay below twice the bound.
    #expect((0..<8).filter { submit("b\($0)", "ben") } == [0, 1, 2])
    #expect((0..<8).filter { submit("c\($0)", "chloe") } == [0, 1])
    #expect((0..<8).filter { submit("d\($0)", "dan") } == [0])
    #expect((0..<8).filter { submit("e\($0)", "eve") } == [])
    #expect(!submit("a8", "anna"))
    admission.open("w", maxCalls: 4)
    #expect(Self.drain(&admission) == ["a0", "b0", "c0", "d0"])
  }

  @Test func `who has daemons that claim nothing holds up nobody else`() {
    var limits = Admission.Limits()
    limits.unclaimedPerPrincipal = 2
    var admission = NamedAdmission(limits: limits)
    for workspace in ["s0", "s1", "s2", "s3", "t"] { admission.open(workspace, maxCalls: 100) }
    for number in 0..<16 {
      _ = admission.submit("c\(number)", by: "silent", to: "s\(number % 4)")
    }
    // The same daemon serves another as well, who comes behind.
    _ = admission.submit("o", by: "other", to: "s1")
    #expect(Self.drain(&admission) == ["c0", "c1", "o"])
    for number in 0..<2 { _ = admission.submit("t\(number)", by: "third", to: "t") }
    #expect(Self.drain(&admission) == ["t0", "t1"])
    admission.claimed("c0")
    #expect(Self.drain(&admission) == ["c2"])
    admission.ended("c1")
    admission.ended("c2")
    #expect(Self.drain(&admission) == ["c3", "c4"])
  }

  static func drain(_ admission: inout NamedAdmission) -> [String] {
    var calls: [String] = []
    while let call = admission.next() { calls.append(call) }
    return calls
  }
}

struct LivenessTests {
  @Test func `a silent link is sent three heartbeats and is dead`() {
    let start = ContinuousClock.now
    var liveness = Liveness(now: start)
    #expect(liveness.wakeAt == start + .seconds(15))
    #expect(liveness.tick(at: start + .seconds(15)) == .send(sequence: 1))
    #expect(liveness.tick(at: start + .seconds(16)) == .nothing)
    #expect(liveness.tick(at: start + .seconds(30)) == .send(sequence: 2))
    #expect(liveness.tick(at: start + .seconds(45)) == .dead)
  }

  @Test func `any word keeps it alive`() {
    let start = ContinuousClock.now
    var liveness = Liveness(now: start)
    liveness.heard(at: start + .seconds(40))
    #expect(liveness.tick(at: start + .seconds(45)) == .send(sequence: 1))
  }
}

struct BackoffTests {
  @Test func `may have a lower bound on each wait`() {
    var backoff = Backoff(longest: .seconds(2))
    var random = Seeded(10)
    for _ in 0..<50 { #expect(backoff.next(random: &random) <= .seconds(2)) }
  }

  @Test func `the ceiling doubles to thirty seconds`() {
    var backoff = Backoff()
    var random = Seeded(8)
    for ceiling in [0.5, 1, 2, 4, 8, 16, 30, 30] {
      #expect((.zero ... .seconds(ceiling)).contains(backoff.next(random: &random)))
    }
  }

  @Test func `a link that was up long enough starts anew`() {
    var backoff = Backoff()
    var random = Seeded(9)
    for _ in 0..<8 { _ = backoff.next(random: &random) }
    backoff.linkEnded(after: .seconds(30))
    #expect(backoff.next(random: &random) <= .milliseconds(500))
  }
}

struct WindowBudgetTests {
  @Test func `a daemon and the process have their bounds`() {
    var budget = ByteBudget(inAll: 150, perOwner: 100)
    #expect(budget.take(80, for: "v") == 80)
    #expect(budget.take(80, for: "v") == 20)
    #expect(budget.take(80, for: "w") == 50)
    #expect(budget.take(80, for: "x") == 0)
    budget.giveBack(100, of: "v")
    budget.giveBack(50, of: "w")
    #expect(budget.promised == 0)
  }
}
