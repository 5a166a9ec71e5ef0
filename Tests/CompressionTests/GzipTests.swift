import Testing

@testable import Compression

@Suite struct `The gzip format` {
  @Test(arguments: [0, 1, 4_095, 4_096, 4_097, 100_000])
  func `bytes come back as they were`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
    #expect(try Gzip.decompress(Gzip.compress(bytes), maxBytes: count) == bytes)
  }

  @Test func `what another program made is read`() throws {
    // printf hello | gzip -n
    let hello: [UInt8] = [
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
      0x07, 0x00, 0x86, 0xa6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00,
    ]
    #expect(try Gzip.decompress(hello, maxBytes: 100) == Array("hello".utf8))
  }

  @Test func `a bomb is stopped at the limit`() throws {
    let bomb = try Gzip.compress([UInt8](repeating: 0, count: 10_000_000))
    #expect(bomb.count < 10_000)
    #expect(throws: Gzip.Failure.tooLarge) { try Gzip.decompress(bomb, maxBytes: 9_999_999) }
    #expect(throws: Gzip.Failure.tooLarge) { try Gzip.decompress(bomb, maxBytes: 0) }
    #expect(try Gzip.decompress(bomb, maxBytes: 10_000_000).count == 10_000_000)
  }

  @Test func `what is cut anywhere is malformed`() throws {
    let whole = try Gzip.compress(Array("some text, some text".utf8))
    for count in 0..<whole.count {
      #expect(throws: Gzip.Failure.malformed) {
        try Gzip.decompress(Array(whole.prefix(count)), maxBytes: 100)
      }
    }
  }

  @Test func `more than one member, garbage and broken sums are malformed`() throws {
    let whole = try Gzip.compress([1, 2, 3])
    var broken = whole
    broken[broken.count - 5] ^= 1
    for bytes in [whole + whole, whole + [0], broken, Array("no gzip".utf8)] {
      #expect(throws: Gzip.Failure.malformed) { try Gzip.decompress(bytes, maxBytes: 100) }
    }
  }
}
