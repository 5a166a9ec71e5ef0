internal import Broker
internal import FoundationEssentials
internal import PlanePKI

extension PlaneConfiguration {
  /// What a plane with these settings would stumble over: files that are not there, and settings
  /// that contradict each other. One line each, with the setting's key and the remedy.
  package var problems: [String] {
    [keyFileProblem, scriptProblem, daemonProblem, hostsProblem].compactMap(\.self)
  }

  /// Throws for settings that make no sense on any machine.
  func check() throws(PlaneError) {
    if let hostsProblem { throw PlaneError(.invalidArgument, hostsProblem) }
  }

  private var hostsProblem: String? {
    PlanePKI.problem(withHosts: certifiedHosts).map { "hosts: \($0)" }
  }

  private var keyFileProblem: String? {
    do {
      _ = try model.fileKey()
      return nil
    } catch {
      return "\(error)"
    }
  }

  private var scriptProblem: String? {
    guard let script = model.script, !FileManager.default.isReadableFile(atPath: script) else {
      return nil
    }
    return "model.script: cannot read \(script)"
  }

  private var daemonProblem: String? {
    guard let daemonProgram, !FileManager.default.isExecutableFile(atPath: daemonProgram) else {
      return nil
    }
    return "daemon.program: there is no program \(daemonProgram); local workspaces need it"
  }
}
