internal import Glibc
internal import Host
internal import Synchronization
internal import Testing

@testable internal import Ledger

@Suite struct `Facts that wait for a store that fails` {
  @Test func `are bounded by what they hold`() {
    let queue = WriteQueue { 0 }
    _ = queue.fail([], LedgerError(.full, "full"))
    func add(bytes: Int) {
      let fact = Pending(isFact: true) { .sample("it has happened") }
      fact.bytes = { bytes }
      #expect(queue.add(fact) == .taken(mustCall: false))
    }
    for _ in 0..<40 { add(bytes: 2 << 20) }
    #expect(queue.count == 32)
    #expect(queue.missing == 8)
    // What a writer brings back is counted anew.
    #expect(queue.fail(queue.take(), LedgerError(.full, "full")).isEmpty)
    add(bytes: 1_024)
    #expect(queue.missing == 9)
  }
}

/// Processes of their own, since the limit on the size of files is a process's.
@Suite(.timeLimit(.minutes(5))) struct `A disk without room, in a process of its own` {
  @Test func `nothing new is taken, what happened is kept, and it goes on by itself`() async {
    await #expect(processExitsWith: .success) {
      let test = try TestLedger()
      let ledger = try test.open()
      _ = try await ledger.append(.sample("before"))
      FileLimit.set(to: 96 << 10)
      var failure: LedgerError?
      for number in 0..<1_000 where failure == nil {
        do throws(LedgerError) {
          _ = try await ledger.append(.sample("filling \(number)"))
        } catch {
          failure = error
        }
      }
      #expect(failure?.code == .full)
      #expect(failure?.message.contains("make room there") == true)
      #expect(ledger.failure?.code == .full)
      let last = ledger.lastSequence
      ledger.record { .sample("it has happened", kind: .callEnded) }
      await #expect(throws: LedgerError.self) { try await ledger.append(.sample("refused")) }
      FileLimit.set(to: nil)
      // First what was amiss, then what has happened.
      #expect(await ledger.reaches(last + 2))
      let events = try await ledger.read(from: last + 1, limit: 10)
      #expect(events.map(\.header.kind) == [.ledgerResumed, .callEnded])
      _ = try await ledger.append(.sample("after"))
      await ledger.close()
      #expect(test.notices.list.count == 2)
      #expect(test.notices.list.last == .resumed(kept: 1, missing: 0))
      #expect(try test.verify().findings == [])
    }
  }

  @Test func `what is lost while it says so is said too`() async {
    await #expect(processExitsWith: .success) {
      let test = try TestLedger()
      let opened = Mutex<Ledger?>(nil)
      var options = test.options
      options.batchWritten = { _ in
        // Refused still: nobody was told that it goes on.
        opened.withLock { $0?.record { .sample("no room", kind: .callEnded) } }
      }
      let ledger = try Ledger(in: test.folder, options)
      FileLimit.set(to: 96 << 10)
      do {
        while true { _ = try await ledger.append(.sample("filling")) }
      } catch {}
      let last = ledger.lastSequence
      ledger.record(bytes: { WriteQueue.maxFactBytes }, { .sample("kept", kind: .callEnded) })
      ledger.record { .sample("no room", kind: .callEnded) }
      opened.withLock { $0 = ledger }
      FileLimit.set(to: nil)
      #expect(await ledger.reaches(last + 3))
      opened.withLock { $0 = nil }
      let events = try await ledger.read(from: last + 1, limit: 3)
      #expect(events.map(\.header.kind) == [.ledgerResumed, .ledgerResumed, .callEnded])
      let told = try events.prefix(2).map { event in
        guard case .bytes(let body) = event.body,
          case .resumed(_, _, let kept, let missing) = try OwnBody(.ledgerResumed, body)
        else { throw LedgerError(.damaged, "it says nothing") }
        return [kept, missing]
      }
      #expect(told == [[1, 1], [0, 1]])
      await ledger.close()
      #expect(try test.verify().findings == [])
    }
  }

  @Test func `a process that ends meanwhile leaves a whole ledger`() async {
    await #expect(processExitsWith: .success) {
      let test = try TestLedger()
      let ledger = try test.openWithoutRetry()
      FileLimit.set(to: 96 << 10)
      var written = 1
      do {
        while true {
          _ = try await ledger.append(.sample(String(repeating: "x", count: 1_000)))
          written += 1
        }
      } catch {}
      ledger.record { .sample("it has happened") }
      await ledger.close()
      #expect(test.notices.list.last == .unwritten(1))
      FileLimit.set(to: nil)
      try await test.fill(1)
      let report = try test.verify()
      #expect(report.findings == [])
      // A commit that failed may be found after all: it was refused, and nothing came of it.
      #expect([written + 1, written + 2].contains(Int(report.events)))
    }
  }

  @Test func `waiting writers are all told`() async {
    await #expect(processExitsWith: .success) {
      let test = try TestLedger()
      let ledger = try test.openWithoutRetry()
      FileLimit.set(to: 96 << 10)
      let body = String(repeating: "x", count: 10_000)
      let refused = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<500 {
          group.addTask { (try? await ledger.append(.sample(body))) == nil }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(refused > 400)
      #expect(Int(ledger.lastSequence) == 1 + 500 - refused)
      FileLimit.set(to: nil)
      await ledger.close()
      #expect(try test.verify().findings == [])
    }
  }
}

extension TestLedger {
  /// One that does not try again meanwhile, which could succeed with something small.
  fileprivate func openWithoutRetry() throws(LedgerError) -> Ledger {
    var options = options
    options.retryDelay = .seconds(3_600)
    return try Ledger(in: folder, options)
  }
}

private enum FileLimit {
  /// How large files may become; nil: as large as they like.
  static func set(to bytes: Int?) {
    _ = signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: rlim_t(bytes ?? Int(Int32.max)), rlim_max: rlim_t(UInt64.max))
    precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
  }
}
