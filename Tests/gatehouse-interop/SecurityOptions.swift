internal import ArgumentParser
internal import EventLoop
internal import FoundationEssentials
internal import TLS

/// Certificates, PEM files all: none is h2c.
struct SecurityOptions: ParsableArguments {
  @Option(help: "Our certificate chain, leaf first.")
  var cert: String?

  @Option(help: "The leaf's private key.")
  var key: String?

  @Option(help: "The authorities that the other side must chain to.")
  var ca: String?

  func validate() throws {
    guard (cert == nil) == (key == nil) else {
      throw ValidationError("--cert and --key come together")
    }
  }

  /// With `--ca` clients need a certificate. `nil`: h2c.
  func serverContext() throws -> TLSContext? {
    guard let identity = try identity() else {
      guard ca == nil else { throw ValidationError("--ca needs --cert and --key at a server") }
      return nil
    }
    return try .server(identity: identity, clientAuthoritiesPEM: try ca.map(Self.read))
  }

  /// With `--ca` TLS, with `--cert` and `--key` mTLS. `nil`: h2c.
  func clientContext() throws -> TLSContext? {
    guard let ca else {
      guard cert == nil else { throw ValidationError("--cert needs --ca at a client") }
      return nil
    }
    return try .client(identity: identity(), authoritiesPEM: Self.read(ca))
  }

  private func identity() throws -> TLSIdentity? {
    guard let cert, let key else { return nil }
    return TLSIdentity(chainPEM: try Self.read(cert), keyPEM: try Self.read(key))
  }

  private static func read(_ path: String) throws -> String {
    do {
      return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    } catch {
      throw ValidationError("cannot read \(path): \(error)")
    }
  }
}

extension HostPort: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
