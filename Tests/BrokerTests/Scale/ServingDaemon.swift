import FoundationEssentials
import RPC
import Synchronization
import Wire

/// A daemon that does what Proto/README.md asks, on a stock client's streams: any number of calls at
/// once, each carried again until the plane has its exit.
final class ServingDaemon: Sendable {
  let daemon: ScriptedDaemon
  private let work: Work
  private let ledger = Mutex(Ledger())

  /// Writes a call's output from a position on, and its exit.
  typealias Work =
    @Sendable (_ request: [UInt8], _ from: UInt64, ScriptedCarry) async throws ->
    Void

  private struct Ledger {
    var requests: [String: [UInt8]] = [:]
    var repeatedOffers = 0
    var refusedClaims = 0
  }

  init(_ daemon: ScriptedDaemon, _ work: @escaping Work) {
    self.daemon = daemon
    self.work = work
  }

  /// Offers of calls that it had already.
  var repeatedOffers: Int { ledger.withLock { $0.repeatedOffers } }
  /// Tickets that were not good any more.
  var refusedClaims: Int { ledger.withLock { $0.refusedClaims } }

  /// Serves until its task is cancelled.
  func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      while true {
        switch try await daemon.next().message {
        case .offer(let offer):
          take(offer)
          group.addTask { await self.carry(offer.callID, offer.ticket, from: 0) }
        case .resume(let resume):
          let position = resume.acknowledged.first { $0.stream == .stdout }?.offset ?? 0
          group.addTask { await self.carry(resume.callID, resume.ticket, from: position) }
        default: break
        }
      }
    }
  }

  private func take(_ offer: Gatehouse_Link_V1_Offer) {
    ledger.withLock { ledger in
      let known = ledger.requests.updateValue(Array(offer.request), forKey: offer.callID)
      if known != nil { ledger.repeatedOffers += 1 }
    }
  }

  private func carry(_ id: String, _ ticket: Data, from position: UInt64) async {
    let request = ledger.withLock { $0.requests[id] ?? [] }
    do {
      try await work(request, position, try await daemon.carry(id, ticket: ticket))
    } catch {
      ledger.withLock { $0.refusedClaims += 1 }
      try? await daemon.send { $0.unclaimed.callID = id }
    }
  }
}
