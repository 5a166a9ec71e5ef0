internal import Host
internal import Testing

@Suite struct `A segment file` {
  private let temporary: TemporaryFolder
  private let folder: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    folder = try StateFolder(temporary.path)
  }

  @Test func `has its length from the beginning, and gives back what was written`() throws {
    let path = folder.path(of: "1")
    let file = try SegmentFile(path, bytes: 8_192)
    #expect(try file.read(10_000, at: 0) == [UInt8](repeating: 0, count: 8_192))
    try file.write([1, 2, 3], at: 4_000)
    try file.sync()
    #expect(try SegmentFile(reading: path).read(5, at: 3_999) == [0, 1, 2, 3, 0])
    // Opened again, it holds what it held.
    #expect(try SegmentFile(path, bytes: 8_192).read(3, at: 4_000) == [1, 2, 3])
  }

  @Test func `that cannot be had is an error, and no file`() throws {
    let path = folder.path(of: "2")
    #expect(throws: HostError.self) { try SegmentFile(path, bytes: 1 << 60) }
    #expect(!folder.exists("2"))
    #expect(throws: HostError.self) { try SegmentFile(reading: path) }
  }
}

@Suite struct `A checksum` {
  /// XXH64's own vectors.
  @Test(
    arguments: [
      ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
      ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
    ] as [(String, UInt64)]
  )
  func `is XXH64`(text: String, sum: UInt64) {
    let bytes = Array(text.utf8)
    #expect(Checksum.of(bytes, in: bytes.indices, seed: 0) == sum)
  }

  @Test(arguments: 0...100)
  func `changes with each byte, the range and the seed`(count: Int) {
    let bytes = (0..<count + 2).map { UInt8($0) }
    let range = 1..<count + 1
    let sum = Checksum.of(bytes, in: range, seed: 5)
    #expect(Checksum.of(bytes, in: range, seed: 6) != sum)
    #expect(Checksum.of(bytes, in: 1..<count + 2, seed: 5) != sum)
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 0x80
      #expect((Checksum.of(changed, in: range, seed: 5) != sum) == range.contains(index))
    }
  }
}
