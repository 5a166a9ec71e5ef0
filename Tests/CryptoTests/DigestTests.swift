internal import Testing

@testable internal import Crypto

@Suite struct `SHA-256` {
  @Test func `the digest of abc is the one of FIPS 180-4`() {
    #expect(
      Hex.encode(SHA256.hash(Array("abc".utf8)))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
  }

  @Test func `the digest of nothing is known`() {
    #expect(Hex.encode(SHA256.hash([])).hasPrefix("e3b0c44298fc1c149afbf4c8996fb924"))
  }

  @Test func `pieces give the digest of the whole`() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    for cut in [0, 1, 63, 64, 65, 999, 1000] {
      var hash = SHA256()
      hash.update(Array(bytes[..<cut]).span)
      hash.update(Array(bytes[cut...]).span)
      #expect(hash.finalize() == SHA256.hash(bytes))
    }
  }

  @Test func `a digest so far does not end it`() {
    var hash = SHA256()
    hash.update(Array("a".utf8).span)
    #expect(hash.finalize() == SHA256.hash(Array("a".utf8)))
    hash.update(Array("bc".utf8).span)
    #expect(hash.finalize() == SHA256.hash(Array("abc".utf8)))
  }
}

@Suite struct `Random bytes` {
  @Test func `two draws differ`() {
    #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
    #expect(SecureRandom.bytes(0).isEmpty)
    var generator = SecureRandom.Generator()
    #expect(Set((0..<200).map { _ in generator.next() }).count == 200)
  }

  @Test func `comparison in constant time is comparison`() {
    #expect(constantTimeEqual([1, 2], [1, 2]))
    #expect(!constantTimeEqual([1, 2], [1, 3]))
    #expect(!constantTimeEqual([1, 2], [1]))
    #expect(constantTimeEqual([], []))
  }
}

@Suite struct `Text encodings` {
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy"),
  ])
  func `base64 is the one of RFC 4648`(plain: String, coded: String) {
    let bytes = Array(plain.utf8)
    #expect(Base64.encode(bytes) == coded)
    #expect(Base64.decode(coded) == bytes)
    #expect(Base64.decode(Base64.encode(bytes, padded: false)) == bytes)
  }

  @Test(arguments: ["Z", "Zg=", "Zg===", "Zh==", "Zm 9v", "Zm9v=", "Z-8=", "===="])
  func `what is not base64 is refused`(text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test func `hex goes there and back`() {
    #expect(Hex.encode([0, 0xab, 0xff]) == "00abff")
    #expect(Hex.decode("00ABff") == [0, 0xab, 0xff])
    #expect(Hex.decode("0") == nil)
    #expect(Hex.decode("0g") == nil)
  }
}
