internal import Testing

@testable internal import Crypto

@Suite struct `AES-256-GCM` {
  private let cipher = AES256GCM(key: [UInt8](repeating: 0, count: 32))
  private let nonce = [UInt8](repeating: 0, count: 12)

  /// McGrew and Viega, "The Galois/Counter Mode of Operation", test case 14.
  @Test func `it makes what the authors' test case has`() throws {
    let sealed = cipher.seal([UInt8](repeating: 0, count: 16), nonce: nonce, context: [])
    #expect(
      Hex.encode(sealed) == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
    )
  }

  @Test(arguments: [0, 1, 15, 16, 17, 4_096]) func `what is sealed opens again`(count: Int) throws {
    let plaintext = SecureRandom.bytes(count)
    let sealed = cipher.seal(plaintext, nonce: nonce, context: [1, 2])
    #expect(sealed.count == count + 16)
    #expect(try cipher.open(sealed, nonce: nonce, context: [1, 2]) == plaintext)
  }

  @Test func `a change of any byte is seen, and of the context`() throws {
    let sealed = cipher.seal(Array("hello".utf8), nonce: nonce, context: [1])
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 1
      #expect(code { _ = try cipher.open(changed, nonce: nonce, context: [1]) } == .badSignature)
    }
    #expect(code { _ = try cipher.open(sealed, nonce: nonce, context: [2]) } == .badSignature)
    for count in 0..<sealed.count {
      let cut = Array(sealed[..<count])
      #expect(code { _ = try cipher.open(cut, nonce: nonce, context: [1]) } == .badSignature)
    }
  }
}

@Suite struct `Signing keys` {
  /// RFC 8032 §7.1, test 1.
  @Test func `a signature is the one of the RFC`() throws {
    let seed = try #require(
      Hex.decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    let key = try SigningKey(seed: seed)
    #expect(
      Hex.encode(key.verifier.bytes)
        == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )
    #expect(
      Hex.encode(try key.sign([]))
        == "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e397"
        + "01cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
  }

  @Test func `another message, signature or key does not fit`() throws {
    let key = try SigningKey(seed: SecureRandom.bytes(32))
    let signature = try key.sign([1, 2, 3])
    #expect(key.verifier.verifies(signature, of: [1, 2, 3]))
    #expect(!key.verifier.verifies(signature, of: [1, 2]))
    #expect(!key.verifier.verifies(Array(signature.dropLast()), of: [1, 2, 3]))
    let other = try SigningKey(seed: SecureRandom.bytes(32))
    #expect(!other.verifier.verifies(signature, of: [1, 2, 3]))
  }

  @Test func `keys of another length are refused`() {
    #expect(code { _ = try SigningKey(seed: [1]) } == .malformed)
    #expect(code { _ = try VerifyingKey([1]) } == .malformed)
  }
}

@Suite struct `Hashes as values` {
  @Test func `they are the digest's bytes`() throws {
    var sha = SHA256()
    sha.update(Array("abc".utf8).span)
    let hash = sha.finishAndBegin()
    #expect(hash.bytes == SHA256.hash(Array("abc".utf8)))
    #expect(Hash256(hash.bytes) == hash)
    #expect(Hash256(hash.bytes.dropLast()) == nil)
    // It begins anew.
    #expect(sha.finishAndBegin().bytes == SHA256.hash([]))
  }
}
