internal import Testing

@testable internal import Crypto

@Suite struct `Private keys` {
  @Test func `a key survives PEM`() throws {
    let key = try PrivateKey.generate()
    let again = try PrivateKey(pem: key.pem)
    #expect(again.publicKey.pin == key.publicKey.pin)
    #expect(key.publicKey.pin.hasPrefix("sha256//"))
  }

  @Test func `what is no PEM is refused`() {
    #expect(code { _ = try PrivateKey(pem: "no key") } == .malformed)
  }

  @Test func `an encrypted key is refused without asking a terminal`() {
    #expect(code { _ = try PrivateKey(pem: Samples.encryptedKey) } == .malformed)
  }

  @Test(arguments: [Samples.rsa1024, Samples.p224])
  func `a weak key is refused`(pem: String) {
    #expect(code { _ = try PrivateKey(pem: pem) } == .weakKey)
  }
}

@Suite struct `Certificate requests` {
  @Test func `a request survives DER`() throws {
    let key = try PrivateKey.generate()
    let request = try CertificateRequest(der: CertificateRequest(for: key).der)
    #expect(request.publicKey.pin == key.publicKey.pin)
  }

  @Test func `a changed signature is refused`() throws {
    var der = try CertificateRequest(for: PrivateKey.generate()).der
    der[der.count - 1] ^= 1
    let changed = der
    #expect(code { _ = try CertificateRequest(der: changed) } == .badSignature)
  }

  @Test func `a request with a weak key is refused`() throws {
    let der = try #require(Base64.decode(Samples.weakRequest))
    #expect(code { _ = try CertificateRequest(der: der) } == .weakKey)
  }

  @Test func `bytes after the request are refused`() throws {
    let der = try CertificateRequest(for: PrivateKey.generate()).der
    #expect(code { _ = try CertificateRequest(der: der + [0]) } == .malformed)
  }

  @Test func `a request cut anywhere is refused`() throws {
    let der = try CertificateRequest(for: PrivateKey.generate()).der
    for length in 0..<der.count {
      #expect(code { _ = try CertificateRequest(der: Array(der[..<length])) } == .malformed)
    }
  }
}

/// The code of the error that `body` throws, nil when it throws none.
func code(_ body: () throws -> Void) -> CryptoError.Code? {
  do {
    try body()
    return nil
  } catch {
    return (error as? CryptoError)?.code
  }
}
