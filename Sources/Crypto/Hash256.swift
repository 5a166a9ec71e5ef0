/// 32 bytes that stand for others: a SHA-256 digest. A plain value, so that trees of them need no
/// memory of their own.
package struct Hash256: Hashable, Sendable {
  private var words: (UInt64, UInt64, UInt64, UInt64)

  /// All bytes 0.
  package init() { words = (0, 0, 0, 0) }

  /// Nil unless there are exactly 32 bytes.
  package init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == SHA256.byteCount else { return nil }
    self.init()
    var rest = Array(bytes)[...]
    words.0 = Self.word(&rest)
    words.1 = Self.word(&rest)
    words.2 = Self.word(&rest)
    words.3 = Self.word(&rest)
  }

  private static func word(_ rest: inout ArraySlice<UInt8>) -> UInt64 {
    defer { rest = rest.dropFirst(8) }
    return rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }

  package func append(to bytes: inout [UInt8]) {
    let raw = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    unsafe withUnsafeBytes(of: raw) { unsafe bytes.append(contentsOf: $0) }
  }

  package static func == (left: Hash256, right: Hash256) -> Bool { left.words == right.words }

  package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

extension Hash256 {
  /// A hash whose memory C fills in.
  init(filling body: (UnsafeMutablePointer<UInt8>) -> Void) {
    var raw: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    unsafe withUnsafeMutableBytes(of: &raw) { raw in
      guard let start = raw.baseAddress else { return }
      // Safe: 32 bytes of ours, which any type of byte may fill, lent for the call alone.
      unsafe body(start.assumingMemoryBound(to: UInt8.self))
    }
    words = (raw.0.bigEndian, raw.1.bigEndian, raw.2.bigEndian, raw.3.bigEndian)
  }
}
