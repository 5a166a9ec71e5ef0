internal import EventLoop

/// One line of the settings file: its key, what it takes, what it is for, and where it goes.
package struct Setting: Sendable {
  /// With dots: `calls.default_timeout`.
  package let key: String
  /// What it takes, for people: `10s`-like words.
  package let form: String
  package let help: String
  /// As the file would say it; empty for none.
  package let usual: String
  let place: Place

  /// What the file may hold there, and where it is put.
  enum Place: Sendable {
    case text(@Sendable (String, inout PlaneConfiguration) throws(SettingValue.Problem) -> Void)
    case list(@Sendable ([String], inout PlaneConfiguration) throws(SettingValue.Problem) -> Void)
  }
}

extension Setting {
  typealias At<Value> = any WritableKeyPath<PlaneConfiguration, Value> & Sendable

  private static let defaults = PlaneConfiguration(stateFolder: "")

  static func integer<Number: FixedWidthInteger & Sendable>(
    _ key: String,
    _ path: At<Number>,
    _ range: ClosedRange<Int>,
    _ help: String
  ) -> Setting {
    Setting(
      key: key,
      form: "\(range.lowerBound)–\(range.upperBound)",
      help: help,
      usual: "\(defaults[keyPath: path])",
      place: .text { (text, configuration) throws(SettingValue.Problem) in
        configuration[keyPath: path] = Number(try SettingValue.integer(text, in: range))
      }
    )
  }

  static func bytes<Number: FixedWidthInteger & Sendable>(
    _ key: String,
    _ path: At<Number>,
    _ range: ClosedRange<Int>,
    _ help: String
  ) -> Setting {
    let (least, most) = (
      SettingValue.show(bytes: range.lowerBound), SettingValue.show(bytes: range.upperBound)
    )
    return Setting(
      key: key,
      form: "size, \(least)–\(most)",
      help: help,
      usual: SettingValue.show(bytes: Int(defaults[keyPath: path])),
      place: .text { (text, configuration) throws(SettingValue.Problem) in
        configuration[keyPath: path] = Number(try SettingValue.bytes(text, in: range))
      }
    )
  }

  static func duration(
    _ key: String,
    _ path: At<Duration>,
    _ range: ClosedRange<Duration>,
    _ help: String
  ) -> Setting {
    let (least, most) = (SettingValue.show(range.lowerBound), SettingValue.show(range.upperBound))
    return Setting(
      key: key,
      form: "time, \(least)–\(most)",
      help: help,
      usual: SettingValue.show(defaults[keyPath: path]),
      place: .text { (text, configuration) throws(SettingValue.Problem) in
        configuration[keyPath: path] = try SettingValue.duration(text, in: range)
      }
    )
  }

  static func address(_ key: String, _ path: At<HostPort>, _ help: String) -> Setting {
    Setting(
      key: key,
      form: "HOST:PORT",
      help: help,
      usual: "\(defaults[keyPath: path])",
      place: .text { (text, configuration) throws(SettingValue.Problem) in
        configuration[keyPath: path] = try SettingValue.address(text)
      }
    )
  }

  /// `parse` turns the text into what is kept.
  static func text<Value>(
    _ key: String,
    _ form: String,
    _ path: At<Value>,
    usual: String = "",
    _ help: String,
    _ parse: @escaping @Sendable (String) throws(SettingValue.Problem) -> Value
  ) -> Setting {
    Setting(
      key: key,
      form: form,
      help: help,
      usual: usual,
      place: .text { (text, configuration) throws(SettingValue.Problem) in
        configuration[keyPath: path] = try parse(text)
      }
    )
  }
}
