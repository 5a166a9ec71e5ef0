internal import Plane

/// Whether a plane could start with a settings file.
enum SettingsCheck {
  static func finding(_ path: String) -> Finding {
    var configuration = PlaneConfiguration(stateFolder: PlaneCommand.defaultState)
    do {
      try SettingsFile.read(path, into: &configuration)
    } catch {
      return Finding(
        grade: .wrong,
        text: "\(error)",
        remedy: "'gatehouse plane --settings' lists what a settings file may hold"
      )
    }
    return Finding(grade: .good, text: "settings in \(path)")
  }
}
