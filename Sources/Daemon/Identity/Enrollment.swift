internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import RPC
internal import Sandbox
internal import TLS

/// Turns a one-use token and a key made here into an identity.
struct Enrollment {
  let options: DaemonOptions
  let store: IdentityStore

  /// - Throws: `RPCStatus`; `DaemonOptions.Problem` when the options do not allow it.
  func run(on loop: EventLoop) async throws -> DaemonIdentity {
    guard let address = options.enrollAddress, let file = options.tokenFile else {
      throw DaemonOptions.Problem(
        "there is no certificate in \(options.state); give --enroll-address and --token-file"
      )
    }
    let token = try readToken(file)
    let key = try store.makeKey()
    let request = EnrollRequest(token: token, csrDer: try CertificateRequest(for: key).der)
    let tls = try TLSContext.client(identity: nil, authoritiesPEM: options.authoritiesPEM)
    let connection = try await Connection.connect(
      to: address,
      tls: tls,
      on: loop,
      identification: .pinned(to: options.pins)
    )
    let identity = try makeIdentity(await ask(request, on: connection), key)
    try store.save(identity)
    return identity
  }

  private func ask(
    _ request: EnrollRequest,
    on connection: Connection
  ) async throws -> EnrollResponse {
    do {
      let answer = try await connection.unary(
        "/gatehouse.link.v1.Enrollment/Enroll",
        request.encoded()
      )
      await connection.closeClient()
      return try EnrollResponse(decoding: answer)
    } catch {
      await connection.closeClient()
      throw error
    }
  }

  private func readToken(_ file: String) throws -> String {
    guard let text = try? StateFolder.readFile(file, maxBytes: 4_096) else {
      throw DaemonOptions.Problem("the token file \(file) cannot be read")
    }
    return String(text.filter { !$0.isWhitespace })
  }

  private func makeIdentity(_ answer: EnrollResponse, _ key: PrivateKey) throws -> DaemonIdentity {
    let authorities = try DaemonIdentity.pem(answer.authoritiesDer)
    return try DaemonIdentity(
      keyPEM: key.pem,
      chainPEM: DaemonIdentity.pem(answer.certificatesDer),
      authoritiesPEM: authorities.isEmpty ? options.authoritiesPEM : authorities,
      planeAddress: answer.planeAddress
    )
  }
}

extension Identification {
  /// Accepts a server with one of these public keys in its chain; any when there are none.
  static func pinned(to pins: [String]) -> Identification? {
    guard !pins.isEmpty else { return nil }
    return Identification { chain in
      let keys = chain.compactMap { try? Certificate(der: $0).publicKeyPin }
      guard keys.contains(where: pins.contains) else {
        return .failure(
          RPCStatus(.unauthenticated, "no key in the plane's certificate chain is a pinned one")
        )
      }
      return .success(Identified(identity: nil, validFor: nil))
    }
  }
}
