/// XXH64, which finds bytes that are not what was written: torn, stale or damaged. Whoever can write
/// them can also make it fit; it is no proof against people.
package enum Checksum {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// Of the bytes in `range`.
  package static func of(_ bytes: [UInt8], in range: Range<Int>, seed: UInt64) -> UInt64 {
    precondition(bytes.indices.contains(range) || range.isEmpty, "bytes that are not there")
    return unsafe bytes.withUnsafeBytes { all in
      unsafe hash(UnsafeRawBufferPointer(rebasing: all[range]), seed)
    }
  }

  @unsafe private static func hash(_ bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
    var next = 0
    var hash = seed &+ prime5
    if bytes.count >= 32 { hash = unsafe stripes(bytes, seed, &next) }
    hash &+= UInt64(bytes.count)
    while next + 8 <= bytes.count {
      let word = unsafe bytes.loadUnaligned(fromByteOffset: next, as: UInt64.self).littleEndian
      hash = rotate(hash ^ round(0, word), 27) &* prime1 &+ prime4
      next += 8
    }
    if next + 4 <= bytes.count {
      let word = unsafe bytes.loadUnaligned(fromByteOffset: next, as: UInt32.self).littleEndian
      hash = rotate(hash ^ (UInt64(word) &* prime1), 23) &* prime2 &+ prime3
      next += 4
    }
    while next < bytes.count {
      hash = unsafe rotate(hash ^ (UInt64(bytes[next]) &* prime5), 11) &* prime1
      next += 1
    }
    hash = (hash ^ (hash >> 33)) &* prime2
    hash = (hash ^ (hash >> 29)) &* prime3
    return hash ^ (hash >> 32)
  }

  @unsafe private static func stripes(
    _ bytes: UnsafeRawBufferPointer,
    _ seed: UInt64,
    _ next: inout Int
  ) -> UInt64 {
    var (a, b) = (seed &+ prime1 &+ prime2, seed &+ prime2)
    var (c, d) = (seed, seed &- prime1)
    func word(_ offset: Int) -> UInt64 {
      unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
    }
    while next + 32 <= bytes.count {
      a = round(a, word(next))
      b = round(b, word(next + 8))
      c = round(c, word(next + 16))
      d = round(d, word(next + 24))
      next += 32
    }
    let mixed = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
    return [a, b, c, d].reduce(mixed) { hash, lane in
      (hash ^ round(0, lane)) &* prime1 &+ prime4
    }
  }

  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
    value << count | value >> (64 - count)
  }
}
