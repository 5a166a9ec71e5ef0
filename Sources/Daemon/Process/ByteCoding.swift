/// Builds the binary records of this folder: little-endian integers, and byte strings with their
/// length before them.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ value: some FixedWidthInteger) {
    var rest = UInt64(truncatingIfNeeded: value)
    for _ in 0..<(type(of: value).bitWidth / 8) {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  mutating func put(_ value: Bool) { put(value ? 1 as UInt8 : 0) }

  mutating func put(_ string: [UInt8]) {
    put(UInt32(string.count))
    bytes += string
  }

  mutating func put(_ string: String) { put(Array(string.utf8)) }

  mutating func put(_ list: [[UInt8]]) {
    put(UInt32(list.count))
    for string in list { put(string) }
  }

  mutating func put(_ list: [String]) { put(list.map { Array($0.utf8) }) }
}

/// Reads what `ByteWriter` built. Anything else throws, at the first thing that does not fit.
struct ByteReader {
  struct Malformed: Error, Equatable {}

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func get<Value: FixedWidthInteger>(_ type: Value.Type) throws(Malformed) -> Value {
    let size = Value.bitWidth / 8
    guard bytes.count - position >= size else { throw Malformed() }
    defer { position += size }
    return bytes[position..<(position + size)].reversed().reduce(0) {
      $0 << 8 | Value(truncatingIfNeeded: $1)
    }
  }

  mutating func getBool() throws(Malformed) -> Bool {
    switch try get(UInt8.self) {
    case 0: false
    case 1: true
    default: throw Malformed()
    }
  }

  mutating func getBytes() throws(Malformed) -> [UInt8] {
    let count = Int(try get(UInt32.self))
    guard bytes.count - position >= count else { throw Malformed() }
    defer { position += count }
    return Array(bytes[position..<(position + count)])
  }

  mutating func getString() throws(Malformed) -> String {
    guard let string = String(validating: try getBytes(), as: UTF8.self) else { throw Malformed() }
    return string
  }

  mutating func getList() throws(Malformed) -> [[UInt8]] {
    let count = Int(try get(UInt32.self))
    // Each has a length of four bytes at least: a lying count makes no large array.
    guard (bytes.count - position) / 4 >= count else { throw Malformed() }
    var list: [[UInt8]] = []
    for _ in 0..<count { list.append(try getBytes()) }
    return list
  }

  mutating func getStrings() throws(Malformed) -> [String] {
    var strings: [String] = []
    for bytes in try getList() {
      guard let string = String(validating: bytes, as: UTF8.self) else { throw Malformed() }
      strings.append(string)
    }
    return strings
  }

  /// Nothing may follow.
  func end() throws(Malformed) {
    guard position == bytes.count else { throw Malformed() }
  }
}
