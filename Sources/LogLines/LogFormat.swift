/// One event of the log, before it is a line.
package struct LogRecord: Sendable {
  package typealias Fields = [(key: String, value: String)]

  /// Milliseconds since 1970.
  let time: UInt64
  let level: LogLevel
  /// What happened, as one word: `call_ended`.
  let event: String
  let fields: Fields

  package init(time: UInt64, level: LogLevel, event: String, fields: Fields) {
    self.time = time
    self.level = level
    self.event = event
    self.fields = fields
  }
}

extension LogRecord {
  /// An enum's case as the log writes it: `timedOut` as `timed_out`.
  package static func word(_ name: String) -> String {
    name.reduce(into: "") { text, character in
      if character.isUppercase, text.last != "_", !text.isEmpty { text += "_" }
      text += character.lowercased()
    }
  }
}

/// How much an event matters; swift-log's levels, by its names.
package enum LogLevel: String, Sendable, CaseIterable, Comparable {
  case trace, debug, info, notice, warning, error, critical

  package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// How a record is written: for people, or for programs.
///
///     2026-11-24T16:07:40.123Z info  call_ended call=call_… duration_ms=12 outcome=exited
///     {"time":"2026-11-24T16:07:40.123Z","level":"info","event":"call_ended","call":"call_…",…}
package enum LogFormat: String, Sendable, CaseIterable {
  case text, json

  /// Longer values are cut, in bytes: a peer's word must not fill the log.
  private static let longestValue = 1_024

  /// The record's line, with its line feed. Whatever the fields hold, it is one line, and nothing in
  /// it moves a terminal's cursor.
  package func line(_ record: LogRecord, isColoured: Bool = false) -> String {
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
    for field in record.fields {
      line += " " + painted("\(field.key)=", "2") + plain(cut(field.value))
    }
    return line + "\n"
  }

  private static func colour(of level: LogLevel) -> String {
    switch level {
    case .trace, .debug: "2"
    case .info, .notice: "32"
    case .warning: "33"
    case .error, .critical: "31"
    }
  }

  private static func cut(_ value: String) -> String {
    guard value.utf8.count > longestValue else { return value }
    return String(decoding: value.utf8.prefix(longestValue), as: UTF8.self) + "…"
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
    for field in record.fields { line += ",\(quoted(field.key)):\(jsonValue(cut(field.value)))" }
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
