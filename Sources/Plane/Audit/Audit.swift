internal import EventLoop
internal import Identity
internal import Ledger
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// What happened, for those who may know: searches, reasons, and whether the record is whole.
struct Audit: Sendable {
  let reader: AuditReader
  let registry: WorkspaceRegistry
  let trustDomain: TrustDomain
  /// For verifying.
  let stateFolder: String
  let checkpointFile: String
  /// Where a look at all of it may block.
  let pool: WorkerPool
  /// Has what else there is of a chat removed.
  let forgetChat: @Sendable (String) async throws -> Void

  private var ledger: Ledger { reader.ledger }

  func viewer(_ principal: Principal) -> AuditViewer {
    AuditViewer(principal, trustDomain: trustDomain)
  }

  // MARK: Searching

  /// Gives what matches to `send`, in order; then, if asked for, each new event.
  func search(
    _ request: Gatehouse_Plane_V1_SearchAuditRequest,
    for principal: Principal,
    _ send: (Gatehouse_Plane_V1_AuditEvent) async throws -> Void
  ) async throws {
    let viewer = viewer(principal)
    var request = request
    request.workspace = try await workspace(request.workspace, principal, viewer)
    let filter = try AuditFilter(request)
    let erasures = AuditErasures(reader)
    guard !request.follow || request.untilUnixUs == 0 else {
      throw PlaneError(.invalidArgument, "until and follow exclude each other")
    }
    func isWanted(_ event: LedgerEvent) -> Bool {
      viewer.maySee(event.header) && filter.matches(event)
    }
    guard request.last <= Self.maxLast else {
      throw PlaneError(
        .invalidArgument,
        "the last \(Self.maxLast) events at most; all, from the first on: --last 0; or from a time on: --since"
      )
    }
    let first = max(1, request.fromSequence)
    let last = ledger.lastSequence
    let ranges = try await reader.ranges(
      in: first...max(first, last),
      since: request.sinceUnixUs,
      until: request.untilUnixUs
    )
    let terms = filter.terms + viewer.terms
    if request.last > 0 {
      for number in try await newest(Int(request.last), in: ranges, by: terms, isWanted) {
        guard let event = try await ledger.read(from: number, limit: 1).first else { continue }
        try await send(erasures.told(event, withoutBody: request.withoutBodies))
      }
    } else {
      for range in ranges {
        try await reader.forwards(in: range, by: terms) { event in
          if isWanted(event) {
            try await send(erasures.told(event, withoutBody: request.withoutBodies))
          }
          return .more
        }
      }
    }
    guard request.follow else { return }
    for try await event in ledger.follow(from: max(first, last + 1)) where isWanted(event) {
      try await send(erasures.told(event, withoutBody: request.withoutBodies))
    }
  }

  /// An id of a workspace that is asked for by id or by name; empty: any.
  ///
  /// - Throws: `notFound` when there never was such a one for the caller to see.
  func workspace(
    _ reference: String,
    _ principal: Principal,
    _ viewer: AuditViewer
  ) async throws -> String {
    guard !reference.isEmpty else { return "" }
    if let id = try? registry.record(reference, for: principal).id { return id }
    // One that was deleted, or is another's, has events all the same, by its id.
    var isKnown = false
    let last = max(1, ledger.lastSequence)
    let terms: [[SearchTerm]] = [[.workspace(reference)]] + viewer.terms
    try await reader.backwards(in: 1...last, by: terms) { event in
      isKnown = event.header.workspace == reference && viewer.maySee(event.header)
      return isKnown ? .enough : .more
    }
    guard isKnown else {
      throw PlaneError(
        .notFound,
        "there is no workspace '\(reference)', by name or id, that you may see; one that was deleted "
          + "is found by its id: gatehouse audit search --kind workspace.deleted"
      )
    }
    return reference
  }

  /// What of a search from the end is found before any of it is told.
  private static let maxLast: UInt32 = 100_000

  /// Numbers, since the events themselves may be large.
  private func newest(
    _ count: Int,
    in ranges: [ClosedRange<UInt64>],
    by terms: [[SearchTerm]],
    _ isWanted: (LedgerEvent) -> Bool
  ) async throws -> [UInt64] {
    var found: [UInt64] = []
    for range in ranges.reversed() where found.count < count {
      try await reader.backwards(in: range, by: terms) { event in
        if isWanted(event) { found.append(event.header.sequence) }
        return found.count < count ? .more : .enough
      }
    }
    return found.reversed()
  }

  /// One event.
  ///
  /// - Throws: `notFound`, also for what is not the caller's to see.
  func show(
    _ sequence: UInt64,
    for principal: Principal
  ) async throws -> Gatehouse_Plane_V1_AuditEvent {
    let event = try await ledger.read(from: max(1, sequence), limit: 1).first
    guard let event, event.header.sequence == sequence, viewer(principal).maySee(event.header)
    else { throw PlaneError(.notFound, "there is no event \(sequence) that you may see") }
    return try await AuditErasures(reader).told(event)
  }

  // MARK: Verifying

  typealias Step = (done: UInt64, total: UInt64)

  /// Looks at the whole ledger; `steps` hears of progress, and ends when that does.
  func verify(
    for principal: Principal,
    _ steps: AsyncStream<Step>.Continuation
  ) async throws -> VerifyReport {
    defer { steps.finish() }
    guard viewer(principal).isAuditor else {
      throw PlaneError(
        .permissionDenied,
        "only auditors may verify the whole ledger; ask for the group 'auditors'"
      )
    }
    let (folder, file) = (stateFolder, checkpointFile)
    return try await pool.run {
      try LedgerVerifier.verify(folder, checkpointFile: file) { steps.yield(($0, $1)) }
    }
  }
}
