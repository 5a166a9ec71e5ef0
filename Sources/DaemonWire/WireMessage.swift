/// A message that a daemon says or hears, as a value.
///
/// Fields that this generation does not know are ignored on decoding and not kept. The size of
/// `bytes` is the caller's to bound.
package protocol WireMessage: Equatable, Sendable {
  /// - Throws: when `bytes` are not this message, or a string in it has a NUL or is not UTF-8.
  init(decoding bytes: [UInt8]) throws(WireError)

  /// - Throws: when a string has a NUL: C would cut it there, so it is refused instead.
  func encoded() throws(WireError) -> [UInt8]
}

/// Why a message could not be read or written.
package enum WireError: Error, Equatable, CustomStringConvertible {
  /// The bytes are cut, or break the encoding. Names the message.
  case malformed(message: String)
  /// A string holds a NUL or is not UTF-8. Names the message and field.
  case invalidText(message: String, field: String)
  /// A string that is to be sent holds a NUL.
  case unsendableText

  package var description: String {
    switch self {
    case .malformed(let message): "malformed \(message)"
    case .invalidText(let message, let field): "\(message).\(field) is not UTF-8 without NUL"
    case .unsendableText: "a string to be sent holds a NUL; remove it"
    }
  }
}
