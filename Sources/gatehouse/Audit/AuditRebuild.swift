internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct AuditRebuild: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Make the index of the ledger anew, and mend the one in use.",
    discussion: """
      The index holds nothing that events don't say; what differed is counted. For auditors.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let report: Gatehouse_Plane_V1_RebuildAuditResponse = try await client.withClient { client in
      try await client.call(
        "/gatehouse.plane.v1.Audit/Rebuild",
        Gatehouse_Plane_V1_RebuildAuditRequest(),
        timeout: nil
      )
    }
    guard !output.json else { return try DataOutput.json(report) }
    let found =
      report.differences == 0
      ? "the index is as it should be" : "\(Plain.count(report.differences, "difference")) mended"
    try DataOutput.line("\(Plain.count(report.events, "event")) read; \(found)")
  }
}
