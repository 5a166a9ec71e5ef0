import Broker
import FoundationEssentials
import RPC
import Synchronization
import SwiftProtobuf
import Testing
import Wire

private typealias Effects = Gatehouse_Tools_V1_Effects

@Suite(.timeLimit(.minutes(5))) struct `What a daemon says that a call changed, and the call` {
  /// The ends of calls as records are made of them.
  private final class Ends: Sendable {
    private let reports = Mutex<[CallReport]>([])

    var all: [CallReport] { reports.withLock { $0 } }

    func add(_ event: BrokerEvent) {
      if case .callEnded(let report) = event { reports.withLock { $0.append(report) } }
    }
  }

  /// Texts of 120 KB in two files.
  private static let long = Effects.with {
    $0.source = .scan
    $0.files = ["a", "b"].map { name in
      .with {
        $0.path = Data(name.utf8)
        $0.after.kept = .kept
        $0.after.text = Data(repeating: 0x61, count: 60_000)
      }
    }
  }

  /// How a call ends whose daemon sends these before its exit.
  private func end(
    budget: Int,
    _ effects: Effects...
  ) async throws -> (Gatehouse_Tools_V1_Exit, CallReport?, BrokerStatistics) {
    let ends = Ends()
    let rig = try await Rig {
      $0.windowBudget = budget
      $0.observe = { ends.add($0) }
    }
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    for effects in effects { try await carry.send { $0.effects = effects } }
    if effects.count == 1 { try await carry.exit(code: 3) }
    let exit = try await call.expectExit()
    let statistics = await rig.broker.statistics
    await rig.close()
    return (exit, ends.all.first, statistics)
  }

  @Test func `is recorded with its end`() async throws {
    let (exit, report, statistics) = try await end(budget: 1 << 20, Self.long)
    #expect(exit.code == 3)
    #expect(report?.effects == Self.long)
    #expect(statistics.windowsPromised == 0)
  }

  @Test func `costs it nothing but that, where it breaks the rules`() async throws {
    let reason = String(repeating: "x", count: 1_025)
    let (exit, report, _) = try await end(budget: 1 << 20, .with { $0.incomplete = [reason] })
    #expect(exit.outcome == .exited)
    #expect(exit.code == 3)
    let effects = try #require(report?.effects)
    #expect(effects.files.isEmpty)
    #expect(effects.incomplete.count == 1)
    #expect(effects.incomplete.first?.contains("a reason of more than 1024 bytes") == true)
  }

  @Test func `is kept without texts where the daemon's budget is used up`() async throws {
    let (exit, report, _) = try await end(budget: 0, Self.long)
    #expect(exit.code == 3)
    #expect(report?.effects?.files.map(\.path) == [Data("a".utf8), Data("b".utf8)])
    #expect(report?.effects?.files.map(\.after.kept) == [.leftOut, .leftOut])
  }

  @Test func `is a number where not even that has room`() async throws {
    let many = Effects.with {
      $0.more = 7
      $0.files = (1_000..<1_900).map { number in
        .with {
          $0.path = Data("\(number)".utf8)
          $0.after.mode = 1
        }
      }
    }
    let (_, report, _) = try await end(budget: 0, many)
    #expect(report?.effects?.files.isEmpty == true)
    #expect(report?.effects?.more == 907)
    #expect(report?.effects?.incomplete.count == 1)
  }

  @Test func `comes once on a stream`() async throws {
    let (exit, _, _) = try await end(budget: 1 << 20, Effects(), Effects())
    #expect(exit.outcome == .lost)
    #expect(exit.error.message.contains("once"))
  }
}
