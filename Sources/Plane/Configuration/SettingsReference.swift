/// The reference of the settings file, made from the settings themselves.
package enum SettingsReference {
  /// A table in Markdown.
  package static var table: String {
    let rows = PlaneConfiguration.settings.map { setting in
      let usual = setting.usual.isEmpty ? "–" : "`\(setting.usual)`"
      return "| `\(setting.key)` | \(setting.form) | \(usual) | \(setting.help) |"
    }
    return (["| key | takes | default | for |", "|---|---|---|---|"] + rows).joined(separator: "\n")
  }
}
