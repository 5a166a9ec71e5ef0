internal import Sandbox

/// One line per event on standard error: `time=… event=… key=value …`.
///
/// No secrets, and no bytes of commands.
package struct Log: Sendable {
  private let write: @Sendable (String) -> Void

  package static let standardError = Log { StandardStream.error.write($0) }

  package init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

  func callAsFunction(_ event: String, _ fields: KeyValuePairs<String, String> = [:]) {
    var line = "time=\(WallClock.microseconds / 1_000) event=\(event)"
    for (key, value) in fields { line += " \(key)=\(Self.quoted(value))" }
    write(line + "\n")
  }

  /// A value with anything but plain characters stands in quotes, on one line.
  static func quoted(_ value: String) -> String {
    let isPlain = value.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" }
    guard !isPlain || value.isEmpty else { return value }
    var quoted = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\" + String(scalar)
      case "\n": quoted += "\\n"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f: quoted += "?"
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
