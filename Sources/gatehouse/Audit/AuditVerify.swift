internal import ArgumentParser
internal import Client
internal import Console
internal import Host
internal import Ledger
internal import LogLines
internal import Plane
internal import SwiftProtobuf
internal import Wire

struct AuditVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Look at every byte of the ledger, and hold it against the checkpoints outside.",
    discussion: """
      Exits with 0 when it is whole, with 1 when something was found. With --offline no plane is asked: \
      it reads a state folder, or a copy of one, by itself; it exits with 2 when nothing was found, but no \
      checkpoint vouches for any of it.
      """
  )

  @Option(help: ArgumentHelp("A plane's state folder, or a copy of one.", valueName: "dir"))
  var offline: String?

  @Option(
    help: ArgumentHelp(
      "With --offline: the checkpoints. Default: the state folder's path and .checkpoints.",
      valueName: "file"
    )
  )
  var checkpoints: String?

  @Option(
    help: ArgumentHelp(
      "With --offline: the key that signed the first checkpoints, as you have it from elsewhere.",
      valueName: "name+id+key"
    )
  )
  var key: String?

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func validate() throws {
    guard offline != nil || (checkpoints == nil && key == nil) else {
      throw ValidationError("--checkpoints and --key go with --offline; a plane has its own")
    }
  }

  func run() async throws {
    let report = if let offline { try verify(offline) } else { try await ask() }
    if output.json { try DataOutput.json(report) } else { try print(report) }
    if isUnproven(report) { Talk.say(Self.unproven) }
    Exit.leave(with: !report.findings.isEmpty ? 1 : isUnproven(report) ? 2 : 0)
  }

  /// A copy, or what is left of a plane, that nothing outside of it speaks for. A plane that runs knows
  /// of its own that it was not put back.
  private func isUnproven(_ report: Gatehouse_Plane_V1_VerifyAuditResponse.Report) -> Bool {
    offline != nil && report.findings.isEmpty && report.covered == 0
  }

  private static let unproven =
    "not checked: whether events were cut off at the end, or all of it was written anew; that takes "
    + "the checkpoints that were kept outside: --checkpoints FILE"

  private func verify(_ folder: String) throws -> Gatehouse_Plane_V1_VerifyAuditResponse.Report {
    let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    let file = checkpoints ?? folder + ".checkpoints"
    do throws(LedgerError) {
      let report = try LedgerVerifier.verify(folder, checkpointFile: file, trusting: key)
      return .init(report, checkpointFile: file)
    } catch {
      throw ClientError(error.description)
    }
  }

  private func ask() async throws -> Gatehouse_Plane_V1_VerifyAuditResponse.Report {
    var report: Gatehouse_Plane_V1_VerifyAuditResponse.Report?
    try await client.withClient { client in
      try await client.stream(
        "/gatehouse.plane.v1.Audit/Verify",
        Gatehouse_Plane_V1_VerifyAuditRequest()
      ) { (step: Gatehouse_Plane_V1_VerifyAuditResponse) in
        switch step.message {
        case .progress(let progress) where StandardStream.error.isTerminal:
          Talk.say("\(progress.done) of \(Plain.count(progress.total, "event"))")
        case .report(let found): report = found
        default: break
        }
      }
    }
    guard let report else { throw ClientError("the plane ended without a report") }
    return report
  }

  private func print(_ report: Gatehouse_Plane_V1_VerifyAuditResponse.Report) throws {
    let style = DataOutput.style
    for finding in report.findings {
      try DataOutput.line(style.red(finding.kind) + "  " + Plain.text(finding.message))
    }
    for line in report.unreadable {
      try DataOutput.line(style.yellow("unreadable") + "  a note that begins '\(Plain.text(line))'")
    }
    let verdict =
      isUnproven(report)
      ? style.yellow("unproven")
      : report.findings.isEmpty
        ? style.green("whole") : style.red(Plain.count(report.findings.count, "finding"))
    try DataOutput.line(
      "\(verdict)  \(Plain.count(report.events, "event")), "
        + Plain.count(report.checkpoints, "checkpoint")
    )
    try DataOutput.line(covered(report))
    for restored in report.restorations { try DataOutput.line(style.yellow(text(restored))) }
    if report.erasedBodies > 0 {
      try DataOutput.line("\(report.erasedBodies) bodies were erased; events say by whom")
    }
    if report.uncheckedBodies > 0 {
      try DataOutput.line(
        "\(report.uncheckedBodies) bodies were not looked at: ledger/master.key is not here. Nor is it known who "
          + "signs: without --key at all, with it behind an exchange of keys"
      )
    }
    if !report.verifierKey.isEmpty { try DataOutput.line("signed by \(report.verifierKey)") }
  }

  /// That it is on record is no finding; what is missing is missing.
  private func text(
    _ restored: Gatehouse_Plane_V1_VerifyAuditResponse.Restoration
  ) -> String {
    let from =
      "restored from a copy of \(Timestamp.text(UInt64(max(0, restored.copiedUnix)) * 1_000)), as event "
      + "\(restored.sequence) says"
    guard restored.until > 0 else { return from + "; what came after the copy is not in it" }
    let missing = restored.until - min(restored.until, restored.sequence - 1)
    return from + ": \(Plain.count(missing, "event")) that checkpoints had seen, up to "
      + "\(restored.until) of the history before, are missing: \"\(Plain.text(restored.reason))\""
  }

  private func covered(_ report: Gatehouse_Plane_V1_VerifyAuditResponse.Report) -> String {
    guard report.covered > 0 else {
      return "no checkpoint in \(report.checkpointFile) vouches for any of it"
    }
    let age = ThisProcess.unixTime - report.coveredUnix
    let rest = report.events - min(report.events, report.covered)
    return "vouched for up to event \(report.covered), "
      + (report.coveredUnix > 0 ? "\(Ages.text(age * 1_000)) ago" : "at a time not said")
      + (rest > 0 ? "; the \(rest) after it are not yet" : "") + ", by \(report.checkpointFile)"
  }
}
