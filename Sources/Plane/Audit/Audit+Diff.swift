internal import Identity
internal import Ledger
internal import SwiftProtobuf
internal import Wire

extension Audit {
  /// What a call, or all ended calls of a chat together, changed in files.
  ///
  /// - Throws: `notFound`, also for what is not the caller's to see; `failedPrecondition`.
  func diff(
    _ request: Gatehouse_Plane_V1_DiffRequest,
    for principal: Principal,
    _ send: (Gatehouse_Plane_V1_DiffResponse) async throws -> Void
  ) async throws {
    var changes = try await ChangeReader(reader: reader, viewer: viewer(principal))
      .changes(of: request)
    let files = changes.files()
    changes.summary.files = UInt64(files.count)
    try await send(.with { $0.summary = changes.summary })
    for file in files { try await send(.with { $0.file = file.diff() }) }
  }
}
