internal import EventLoop

/// A value in the settings file, as people write it.
package enum SettingValue {
  /// Why a text is no value; says what would be.
  struct Problem: Error {
    let message: String
  }

  static func integer(_ text: String, in range: ClosedRange<Int>) throws(Problem) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw Problem(
        message: "is not a whole number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }

  /// `4096`, `64 KiB`, `16MiB`, `1 GiB`.
  static func bytes(_ text: String, in range: ClosedRange<Int>) throws(Problem) -> Int {
    let units: [(String, Int)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)]
    for (unit, factor) in units where text.hasSuffix(unit) {
      guard let number = Int(text.dropLast(unit.count).filter { $0 != " " }) else { break }
      let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
      guard !overflow, range.contains(bytes) else { break }
      return bytes
    }
    let (least, most) = (show(bytes: range.lowerBound), show(bytes: range.upperBound))
    throw Problem(message: "is not a size from \(least) to \(most); write e.g. 64 KiB")
  }

  /// `500ms`, `10s`, `5m`, `24h`.
  static func duration(_ text: String, in range: ClosedRange<Duration>) throws(Problem) -> Duration
  {
    if let span = milliseconds(text).map(Duration.milliseconds), range.contains(span) {
      return span
    }
    let (least, most) = (show(range.lowerBound), show(range.upperBound))
    throw Problem(message: "is not a time from \(least) to \(most); write e.g. 10s, 500ms, 5m")
  }

  /// A time as above, from 0 on; nil for a text that is none.
  package static func milliseconds(_ text: String) -> Int64? {
    let units: [(String, Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
    for (unit, factor) in units where text.hasSuffix(unit) {
      guard let number = Int64(text.dropLast(unit.count).filter { $0 != " " }) else { continue }
      let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
      return overflow || milliseconds < 0 ? nil : milliseconds
    }
    return nil
  }

  static func address(_ text: String) throws(Problem) -> HostPort {
    guard let address = HostPort(text) else {
      throw Problem(message: "is not HOST:PORT; write e.g. 127.0.0.1:7443, or [::1]:7443")
    }
    return address
  }

  static func truth(_ text: String) throws(Problem) -> Bool {
    guard let value = Bool(text) else { throw Problem(message: "is neither true nor false") }
    return value
  }

  static func choice<Value: CaseIterable & RawRepresentable>(
    _ text: String,
    _ type: Value.Type
  ) throws(Problem) -> Value where Value.RawValue == String {
    guard let value = Value(rawValue: text) else {
      let all = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(message: "is none of: \(all)")
    }
    return value
  }

  static func show(bytes: Int) -> String {
    for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
    where bytes >= factor && bytes % factor == 0 {
      return "\(bytes / factor) \(unit)"
    }
    return "\(bytes)"
  }

  static func show(_ duration: Duration) -> String {
    let milliseconds = duration.wholeMilliseconds
    for (unit, factor) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] as [(String, Int64)]
    where milliseconds >= factor && milliseconds % factor == 0 {
      return "\(milliseconds / factor)\(unit)"
    }
    return "\(milliseconds)ms"
  }
}
