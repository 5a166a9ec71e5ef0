internal import Host
internal import Plane

/// Whether a plane could start with a settings file.
struct SettingsCheck {
  let path: String
  /// What the file says; nil when it makes no sense.
  let configuration: PlaneConfiguration?
  let findings: [Finding]

  init(_ path: String) {
    self.path = path
    var configuration = PlaneConfiguration(stateFolder: StateFolder.usual)
    do {
      try SettingsFile.read(path, into: &configuration)
    } catch {
      self.configuration = nil
      let remedy = "'gatehouse plane --settings' lists what a settings file may hold"
      findings = [Finding(grade: .wrong, text: "\(error)", remedy: remedy)]
      return
    }
    self.configuration = configuration
    let problems = configuration.problems
    findings =
      problems.isEmpty
      ? [Finding(grade: .good, text: "settings in \(path)")]
      : problems.map { Finding(grade: .wrong, text: "\(path): \($0)") }
  }

  /// The model that the file names; nil when it leaves that to the environment.
  var model: Finding? {
    guard let model = configuration?.model else { return nil }
    let (hasKey, hasScript) = (model.key != nil || model.keyFile != nil, model.script != nil)
    guard model.url != nil || hasKey || hasScript else { return nil }
    let place = model.url ?? (hasKey ? "the usual address" : "a script")
    return Finding(grade: .good, text: "a model is set in \(path): \(place)")
  }
}
