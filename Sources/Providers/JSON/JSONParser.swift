extension JSON {
  /// What to do with an object that has a key twice.
  package enum DuplicateKeys: Sendable {
    case refuse
    case keepBoth
  }

  /// Reads exactly one value, at most 64 levels deep.
  ///
  /// - Throws: `JSONError`, which names the place. A lone surrogate becomes U+FFFD.
  package init(
    parsing text: String,
    duplicateKeys: DuplicateKeys = .keepBoth
  ) throws(JSONError) {
    var parser = JSONParser(bytes: Array(text.utf8), duplicateKeys: duplicateKeys)
    self = try parser.document()
  }
}

/// Why a text is not JSON.
package struct JSONError: Error, Equatable, CustomStringConvertible {
  /// Counted in bytes from 0.
  package let offset: Int
  package let reason: String

  package var description: String { "\(reason) at byte \(offset)" }
}

/// A recursive-descent reader, over bytes.
struct JSONParser {
  private static let maxDepth = 64

  private let bytes: [UInt8]
  private let duplicateKeys: JSON.DuplicateKeys
  private var position = 0

  init(bytes: [UInt8], duplicateKeys: JSON.DuplicateKeys) {
    self.bytes = bytes
    self.duplicateKeys = duplicateKeys
  }

  mutating func document() throws(JSONError) -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw error("something after the value") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSON {
    guard depth < Self.maxDepth else { throw error("more than \(Self.maxDepth) levels") }
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw error("the end, where a value should be")
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSON {
    position += 1
    var members: [JSON.Member] = []
    var keys: Set<String> = []
    skipSpace()
    if take("}") { return .object([]) }
    while true {
      skipSpace()
      let start = position
      let key = try string()
      if !keys.insert(key).inserted && duplicateKeys == .refuse {
        throw JSONError(offset: start, reason: "the key \"\(key)\" a second time")
      }
      skipSpace()
      guard take(":") else { throw error("no ':' after the key \"\(key)\"") }
      members.append(JSON.Member(key, try value(depth: depth + 1)))
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw error("neither ',' nor '}' in an object") }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSON {
    position += 1
    var values: [JSON] = []
    skipSpace()
    if take("]") { return .array([]) }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(values) }
      guard take(",") else { throw error("neither ',' nor ']' in an array") }
    }
  }

  private mutating func word(_ word: String, _ value: JSON) throws(JSONError) -> JSON {
    guard bytes[position...].starts(with: word.utf8) else { throw error("no value") }
    position += word.utf8.count
    return value
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = position
    _ = take("-")
    guard digits() > 0 else { throw error("no value") }
    let integer = bytes[start..<position].drop { $0 == UInt8(ascii: "-") }
    if integer.count > 1 && integer.first == UInt8(ascii: "0") {
      throw error("a number that begins with 0")
    }
    if take(".") && digits() == 0 { throw error("no digit after '.'") }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      guard digits() > 0 else { throw error("no digit in an exponent") }
    }
    return .number(String(decoding: bytes[start..<position], as: UTF8.self))
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position - start
  }

  private mutating func string() throws(JSONError) -> String {
    guard take("\"") else { throw error("no string") }
    var text: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try utf8(text)
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw error("a bare control character in a string")
      default: text.append(byte)
      }
    }
    throw error("the end, within a string")
  }

  private func utf8(_ text: [UInt8]) throws(JSONError) -> String {
    guard let string = String(validating: text, as: UTF8.self) else {
      throw error("a string that is not UTF-8")
    }
    return string
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = peek else { throw error("the end, within a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"): text += try unicodeEscape().utf8
    default: throw error("an unknown escape")
    }
  }

  /// After `\u`: one scalar, from one or two code units.
  private mutating func unicodeEscape() throws(JSONError) -> String {
    let first = try codeUnit()
    let afterFirst = position
    if (0xD800..<0xDC00).contains(first), take("\\"), take("u") {
      let second = try codeUnit()
      if (0xDC00..<0xE000).contains(second) {
        return String(decoding: [first, second], as: UTF16.self)
      }
      position = afterFirst
    } else {
      position = afterFirst
    }
    return String(decoding: [first], as: UTF16.self)
  }

  private mutating func codeUnit() throws(JSONError) -> UInt16 {
    let digits = bytes[position...].prefix(4)
    let isHex = digits.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
    guard digits.count == 4, isHex,
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw error("an escape without four hexadecimal digits") }
    position += 4
    return unit
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D {
      position += 1
    }
  }

  private func error(_ reason: String) -> JSONError {
    JSONError(offset: position, reason: reason)
  }
}
