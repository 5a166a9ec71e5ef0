/// Makes and checks the ids of calls, chats, workspaces and the rest.
///
/// An id is a prefix, an underscore and a UUIDv7 (RFC 9562 §5.7) as 26 digits of base32hex in
/// lower case (RFC 4648 §7): that alphabet keeps the order of the bits, so ids of one prefix sort
/// by the time they were made.
package enum Identifier {
  package static let longest = 64

  /// Makes a new id, never given out before.
  ///
  /// - Parameters:
  ///   - prefix: what the id names, e.g. `call`; `[a-z0-9_]{1,37}`.
  ///   - now: milliseconds since 1970, 48 bits.
  ///   - random: must not be predictable where an id is all that protects something; nothing in
  ///     Gatehouse relies on that.
  /// - Returns: the prefix, an underscore and 26 digits.
  @inlinable package static func make(
    prefix: String,
    now: UInt64,
    random: inout some RandomNumberGenerator
  ) -> String {
    make(prefix: prefix, now: now, random: (random.next(), random.next()))
  }

  @usableFromInline static func make(
    prefix: String,
    now: UInt64,
    random: (UInt64, UInt64)
  ) -> String {
    let version: UInt64 = 7
    let variant: UInt64 = 0b10
    let high = now << 16 | version << 12 | random.0 >> 52
    let low = variant << 62 | random.1 >> 2
    var name: [UInt8] = []
    name.reserveCapacity(longest)
    name.append(contentsOf: prefix.utf8)
    name.append(UInt8(ascii: "_"))
    precondition(
      (2...38).contains(name.count) && name.allSatisfy(isAllowed),
      "prefix '\(prefix)' is not [a-z0-9_]{1,37}"
    )
    append(high, low, to: &name)
    return String(decoding: name, as: UTF8.self)
  }

  /// Whether `name` has the form of an id: `[a-z0-9_]{1,64}`. Ids from outside are checked with
  /// this before they are looked up, recorded or used in a path.
  package static func isValid(_ name: some StringProtocol) -> Bool {
    let bytes = name.utf8
    return (1...longest).contains(bytes.count) && bytes.allSatisfy(isAllowed)
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static let alphabet = Array("0123456789abcdefghijklmnopqrstuv".utf8)

  /// 128 bits as 26 digits: 5 bits each, the last digit filled up with two zero bits.
  private static func append(_ high: UInt64, _ low: UInt64, to text: inout [UInt8]) {
    // The digits' bits lie left-aligned in 130.
    for digit in 0..<26 {
      let start = 5 * digit
      let bits: UInt64
      if start + 5 <= 64 {
        bits = high >> UInt64(59 - start)
      } else if start < 64 {
        bits = high << UInt64(start - 59) | low >> UInt64(123 - start)
      } else if start <= 123 {
        bits = low >> UInt64(123 - start)
      } else {
        bits = low << UInt64(start - 123)
      }
      text.append(alphabet[Int(bits & 31)])
    }
  }
}
