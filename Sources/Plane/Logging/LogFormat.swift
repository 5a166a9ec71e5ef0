internal import Logging

/// One event of the log, before it is a line.
struct LogRecord: Sendable, Equatable {
  /// Milliseconds since 1970.
  let time: UInt64
  let level: Logger.Level
  /// What happened, as one word: `call_ended`.
  let event: String
  /// In the order of their names.
  let fields: [(key: String, value: String)]

  static func == (left: LogRecord, right: LogRecord) -> Bool {
    left.time == right.time && left.level == right.level && left.event == right.event
      && left.fields.elementsEqual(right.fields) { $0 == $1 }
  }
}

/// How a record is written: for people, or for programs.
///
///     2026-11-24T16:07:40.123Z info  call_ended call=call_… duration_ms=12 outcome=exited
///     {"time":"2026-11-24T16:07:40.123Z","level":"info","event":"call_ended","call":"call_…",…}
package enum LogFormat: String, Sendable, CaseIterable {
  case text, json

  /// The record's line, with its line feed. Whatever the fields hold, it is one line, and nothing in
  /// it moves a terminal's cursor.
  func line(_ record: LogRecord, isColoured: Bool = false) -> String {
    switch self {
    case .text: Self.text(record, isColoured)
    case .json: Self.json(record)
    }
  }

  private static func text(_ record: LogRecord, _ isColoured: Bool) -> String {
    func painted(_ text: String, _ code: String) -> String {
      isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
    let name = record.level.rawValue
    let level = name + String(repeating: " ", count: max(0, 7 - name.count))
    var line = painted(Timestamp.text(record.time), "2") + " "
    line += painted(level, Self.colour(of: record.level)) + " " + plain(record.event)
    for field in record.fields { line += " " + painted("\(field.key)=", "2") + plain(field.value) }
    return line + "\n"
  }

  private static func colour(of level: Logger.Level) -> String {
    switch level {
    case .trace, .debug: "2"
    case .info, .notice: "32"
    case .warning: "33"
    case .error, .critical: "31"
    }
  }

  /// As it is, or in quotes when it has anything but plain characters.
  private static func plain(_ value: String) -> String {
    let isPlain = value.unicodeScalars.allSatisfy {
      $0.value > 0x20 && !(0x7F..<0xA0).contains($0.value) && $0 != "\"" && $0 != "="
    }
    return isPlain && !value.isEmpty ? value : quoted(value)
  }

  private static func json(_ record: LogRecord) -> String {
    var line = "{\"time\":\"\(Timestamp.text(record.time))\""
    line += ",\"level\":\"\(record.level.rawValue)\",\"event\":\(quoted(record.event))"
    for field in record.fields { line += ",\(quoted(field.key)):\(jsonValue(field.value))" }
    return line + "}\n"
  }

  /// Whole numbers stand as numbers, as far as every reader takes them exactly (RFC 8259 §6).
  private static func jsonValue(_ value: String) -> String {
    guard let number = Int64(value), String(number) == value, number.magnitude < 1 << 53 else {
      return quoted(value)
    }
    return value
  }

  /// A JSON string (RFC 8259 §7), which a person can read too.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\" + String(scalar)
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case "\r": quoted += "\\r"
      case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

/// Times of the log.
enum Timestamp {
  /// RFC 3339 in UTC, to the millisecond. `time`: milliseconds since 1970.
  static func text(_ time: UInt64) -> String {
    let (days, rest) = (Int(time / 86_400_000), Int(time % 86_400_000))
    let (year, month, day) = date(days)
    let clock = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { padded($0, 2) }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
      + "T\(clock.joined(separator: ":")).\(padded(rest % 1000, 3))Z"
  }

  /// The civil date so many days after 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date
  /// algorithms", `civil_from_days`).
  private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468  // from 0000-03-01: leap days come last in their year
    let (era, dayOfEra) = (shifted / 146_097, shifted % 146_097)
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private static func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
