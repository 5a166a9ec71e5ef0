internal import ArgumentParser
internal import Client
internal import Plane

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "What is wrong here, and how to mend it.",
    discussion: "Exits with 0 when nothing is wrong, else with 1."
  )

  @OptionGroup var client: ClientOptions

  @Option(help: ArgumentHelp("Also check a plane's settings file.", valueName: "file"))
  var config: String?

  func run() async throws {
    let file = config.map(SettingsCheck.init)
    let configuration = file?.configuration
    var findings = MachineChecks.all
    if configuration?.daemonProgram == nil { findings.append(MachineChecks.daemon) }
    findings.append(file?.model ?? MachineChecks.model)
    findings += file?.findings ?? []
    let given = ClientSettings.Given(
      plane: client.plane,
      state: client.state ?? configuration?.stateFolder
    )
    // A plane that was never started has no identities yet, which its file need not fear.
    findings += await PlaneChecks(given: given, isNamed: client.state != nil).all()
    for finding in findings { try show(finding) }
    try DataOutput.line("")
    try DataOutput.line(DataOutput.style.bold("What a local workspace shares with its account"))
    for line in MachineChecks.shared { try DataOutput.line("  " + line) }
    let wrong = findings.count { $0.grade == .wrong }
    if wrong > 0 { throw ClientError("\(wrong) of \(findings.count) things are wrong") }
  }

  private func show(_ finding: Finding) throws {
    let style = DataOutput.style
    let mark =
      switch finding.grade {
      case .good: style.green("✓")
      case .note: style.yellow("!")
      case .wrong: style.red("✗")
      }
    try DataOutput.line("\(mark) \(Plain.text(finding.text))")
    if !finding.remedy.isEmpty { try DataOutput.line("    " + style.dim(finding.remedy)) }
  }
}

/// One thing that was looked at.
struct Finding: Sendable {
  enum Grade: Sendable { case good, note, wrong }

  let grade: Grade
  let text: String
  var remedy = ""
}
