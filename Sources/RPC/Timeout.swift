/// The value of `grpc-timeout` (gRPC over HTTP/2): 1 to 8 digits and a unit.
enum Timeout {
  /// `nil` when the text is malformed.
  static func parse(_ bytes: [UInt8]) -> Duration? {
    guard (2...9).contains(bytes.count), let unit = bytes.last else { return nil }
    var amount: Int64 = 0
    for digit in bytes.dropLast() {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      amount = amount * 10 + Int64(digit - UInt8(ascii: "0"))
    }
    switch unit {
    case UInt8(ascii: "H"): return .seconds(amount * 3_600)
    case UInt8(ascii: "M"): return .seconds(amount * 60)
    case UInt8(ascii: "S"): return .seconds(amount)
    case UInt8(ascii: "m"): return .milliseconds(amount)
    case UInt8(ascii: "u"): return .microseconds(amount)
    case UInt8(ascii: "n"): return .nanoseconds(amount)
    default: return nil
    }
  }

  /// In the finest unit that fits eight digits, rounded up; at least 1 ns.
  static func format(_ timeout: Duration) -> String {
    let (seconds, attoseconds) = timeout.components
    guard seconds >= 0, attoseconds >= 0 else { return "1n" }
    let limit: Int64 = 99_999_999
    guard seconds < limit else { return "\(min(seconds / 3_600 + 1, limit))H" }
    let nanoseconds = (attoseconds + 999_999_999) / 1_000_000_000
    for (unit, perSecond) in [("n", 1_000_000_000), ("u", 1_000_000), ("m", 1_000)]
      as [(String, Int64)]
    {
      let divisor = 1_000_000_000 / perSecond
      guard seconds <= limit / perSecond else { continue }
      let amount = seconds * perSecond + (nanoseconds + divisor - 1) / divisor
      if amount <= limit { return "\(max(1, amount))\(unit)" }
    }
    return "\(seconds + 1)S"
  }
}
