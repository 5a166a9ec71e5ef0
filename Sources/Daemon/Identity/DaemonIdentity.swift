internal import Crypto
internal import Sandbox
internal import TLS

/// The daemon's key and certificate, and how it knows the plane.
struct DaemonIdentity: Sendable {
  let keyPEM: String
  /// Leaf first.
  let chainPEM: String
  /// What the plane's mutual listener must chain to.
  let authoritiesPEM: String
  /// HOST:PORT of the mutual listener, as enrollment said.
  let planeAddress: String
  let notBefore: Int64
  let notAfter: Int64

  /// - Throws: when the certificate cannot be read.
  init(
    keyPEM: String,
    chainPEM: String,
    authoritiesPEM: String,
    planeAddress: String
  ) throws(CryptoError) {
    self.keyPEM = keyPEM
    self.chainPEM = chainPEM
    self.authoritiesPEM = authoritiesPEM
    self.planeAddress = planeAddress
    let leaf = try Certificate(pem: chainPEM)
    (notBefore, notAfter) = (leaf.notBefore, leaf.notAfter)
  }

  /// The same identity with a new key and certificate.
  func renewed(key: PrivateKey, certificatesDER: [[UInt8]]) throws(CryptoError) -> DaemonIdentity {
    try DaemonIdentity(
      keyPEM: key.pem,
      chainPEM: Self.pem(certificatesDER),
      authoritiesPEM: authoritiesPEM,
      planeAddress: planeAddress
    )
  }

  static func pem(_ certificatesDER: [[UInt8]]) throws(CryptoError) -> String {
    var text = ""
    for der in certificatesDER { text += try Certificate(der: der).pem }
    return text
  }

  var tls: TLSIdentity { TLSIdentity(chainPEM: chainPEM, keyPEM: keyPEM) }

  /// When to ask for the next certificate, in seconds since 1970: half its life.
  var renewAt: Int64 { notBefore + (notAfter - notBefore) / 2 }
}

/// An identity on disk. One file holds it whole, so that key and certificate always fit.
struct IdentityStore {
  private static let name = "identity"
  /// A key that was made and whose certificate is asked for.
  private static let pendingKey = "key.new"

  let folder: SharedFolder

  func load() -> DaemonIdentity? {
    guard let bytes = try? folder.folder.read(Self.name) else { return nil }
    var reader = ByteReader(bytes)
    guard let key = try? reader.getString(), let chain = try? reader.getString(),
      let authorities = try? reader.getString(), let plane = try? reader.getString()
    else { return nil }
    return try? DaemonIdentity(
      keyPEM: key,
      chainPEM: chain,
      authoritiesPEM: authorities,
      planeAddress: plane
    )
  }

  /// A new key, on disk before anybody hears of it. One whose certificate never came is used again.
  func makeKey() throws -> PrivateKey {
    if let bytes = try folder.folder.read(Self.pendingKey),
      let key = try? PrivateKey(pem: String(decoding: bytes, as: UTF8.self))
    {
      return key
    }
    let key = try PrivateKey.generate()
    try folder.folder.write(Self.pendingKey, Array(key.pem.utf8), durable: true)
    return key
  }

  func save(_ identity: DaemonIdentity) throws {
    var writer = ByteWriter()
    writer.put(identity.keyPEM)
    writer.put(identity.chainPEM)
    writer.put(identity.authoritiesPEM)
    writer.put(identity.planeAddress)
    try folder.folder.write(Self.name, writer.bytes, durable: true)
    folder.folder.remove(Self.pendingKey)
  }
}
