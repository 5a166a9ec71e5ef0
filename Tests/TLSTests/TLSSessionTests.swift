import Crypto
import TestSupport
import Testing

@testable import TLS

@Suite struct `TLS session` {
  @Test(arguments: [1, 7, 1_000, 1_000_000])
  func `plaintext crosses, however the ciphertext is cut`(step: Int) throws {
    var pair = try Pair(TestPKI())
    try pair.settle(step: step)
    let areEstablished = pair.client.isEstablished && pair.server.isEstablished
    #expect(areEstablished)
    let message = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
    try pair.client.send(message.span)
    try pair.settle(step: step)
    let (received, left) = (pair.serverReceived, pair.client.outputCount)
    #expect(received == message)
    #expect(left == 0)
  }

  @Test func `the server sees the client's verified chain`() throws {
    let pki = try TestPKI()
    var pair = try Pair(pki)
    try pair.settle(step: 4_096)
    let chain = pair.server.peerCertificatesDER
    #expect(chain.count == 2)
    #expect(chain.last == pki.issuer.certificate.der)
  }

  @Test func `an orderly end is seen as one`() throws {
    var pair = try Pair(TestPKI())
    try pair.settle(step: 4_096)
    pair.client.close()
    try pair.settle(step: 4_096)
    let isClosed = pair.server.peerClosed
    #expect(isClosed)
  }

  @Test func `what a slow reader has taken takes no memory`() throws {
    var pair = try Pair(TestPKI())
    try pair.settle(step: 4_096)
    let message = [UInt8](repeating: 7, count: 32_768)
    for _ in 0..<8 { try pair.client.send(message.span) }
    var taken: [UInt8] = []
    var most = 0
    for _ in 0..<200 {
      try pair.client.send(message.span)
      // As much as came, so that some is always left.
      pair.client.withOutput { bytes in
        for index in 0..<32_768 { taken.append(bytes[index]) }
        return 32_768
      }
      most = max(most, pair.client.heldOutput)
    }
    #expect(most < 1_048_576)
    // Nothing was lost or came twice: the peer reads it all.
    try pair.deliver(taken)
    try pair.settle(step: 1_000_000)
    let received = pair.serverReceived.count
    #expect(received == 208 * message.count)
  }

  @Test func `a changed byte is refused`() throws {
    var pair = try Pair(TestPKI())
    try pair.settle(step: 4_096)
    try pair.client.send([1, 2, 3].span)
    var ciphertext: [UInt8] = []
    pair.client.withOutput { bytes in
      for index in bytes.indices { ciphertext.append(bytes[index]) }
      return bytes.count
    }
    ciphertext[ciphertext.count - 1] ^= 1
    var plaintext = [UInt8](repeating: 0, count: 65_536)
    let error = #expect(throws: TLSError.self) {
      _ = try pair.server.receive(ciphertext.span, into: &plaintext)
    }
    #expect(error?.code == .protocolFailure)
  }

  @Test func `a key that is not the certificate's is refused`() throws {
    let pki = try TestPKI()
    let (one, other) = (try pki.server(), try pki.server())
    let mixed = TLSIdentity(chainPEM: one.chainPEM, keyPEM: other.keyPEM)
    let error = #expect(throws: TLSError.self) {
      _ = try TLSContext.server(identity: mixed, clientAuthoritiesPEM: nil)
    }
    #expect(error?.code == .configuration)
  }

  @Test func `text without a certificate is refused by name`() {
    let error = #expect(throws: TLSError.self) {
      _ = try TLSContext.client(identity: nil, authoritiesPEM: "not PEM")
    }
    #expect(error?.message.contains("authorities") == true)
  }
}

/// A client and a server joined in memory.
private struct Pair: ~Copyable {
  var client: TLSSession
  var server: TLSSession
  var serverReceived: [UInt8] = []

  init(_ pki: TestPKI) throws {
    // In locals first: an initializer that throws must have set all or nothing.
    var client = try TLSSession(client: pki.clientContext(), serverName: "localhost")
    let server = try TLSSession(server: pki.mutualServer())
    try client.start()
    self.client = client
    self.server = server
  }

  mutating func settle(step: Int) throws {
    var plaintext = [UInt8](repeating: 0, count: 2_000_000)
    while client.outputCount + server.outputCount > 0 {
      for part in Self.take(&client, step) {
        let count = try server.receive(part.span, into: &plaintext)
        serverReceived += plaintext.prefix(count)
      }
      for part in Self.take(&server, step) {
        _ = try client.receive(part.span, into: &plaintext)
      }
    }
  }

  mutating func deliver(_ ciphertext: [UInt8]) throws {
    var plaintext = [UInt8](repeating: 0, count: ciphertext.count + TLSSession.maxRecordBytes)
    let count = try server.receive(ciphertext.span, into: &plaintext)
    serverReceived += plaintext.prefix(count)
  }

  private static func take(_ session: inout TLSSession, _ step: Int) -> [[UInt8]] {
    var all: [UInt8] = []
    session.withOutput { bytes in
      for index in bytes.indices { all.append(bytes[index]) }
      return bytes.count
    }
    return stride(from: 0, to: all.count, by: step).map {
      Array(all[$0..<min($0 + step, all.count)])
    }
  }
}
