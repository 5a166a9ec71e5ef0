internal import Crypto
internal import Identity

extension CertificateTemplate {
  /// The plane on its own machine, and by the further `hosts` it is reached by. Long enough for a
  /// machine that is off for a week.
  static func server(_ hosts: [String]) -> CertificateTemplate {
    var names: [AlternativeName] = []
    for host in ["localhost", "127.0.0.1", "::1"] + hosts {
      let name = AlternativeName.host(host)
      if !names.contains(name) { names.append(name) }
    }
    return CertificateTemplate(
      commonName: "localhost",
      names: names,
      usages: [.server],
      lifetime: .seconds(30 * day)
    )
  }

  /// A certificate crosses in each handshake: with so many names it has some 30 KiB at most.
  static let maxHosts = 100

  /// Throws for what can be no host's name or address, and for too many.
  static func check(_ hosts: [String]) throws(PKIError) {
    guard hosts.count <= maxHosts else {
      throw PKIError("\(hosts.count) hosts; a certificate names at most \(maxHosts)")
    }
    for host in hosts {
      if case .dns(let name) = AlternativeName.host(host), !isName(name) {
        throw PKIError(
          "'\(host)' is neither a host's name nor an address; give it without port or brackets"
        )
      }
    }
  }

  /// RFC 1123 §2.1, and the underscore that container networks use.
  private static func isName(_ name: String) -> Bool {
    guard (1...253).contains(name.utf8.count) else { return false }
    return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      (1...63).contains(label.utf8.count)
        && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
    }
  }

  /// Whoever started the plane.
  static func admin(of trustDomain: TrustDomain) -> CertificateTemplate {
    CertificateTemplate(
      commonName: "admin",
      names: [.uri("spiffe://\(trustDomain)/user/admin")],
      usages: [.client],
      lifetime: .seconds(30 * day)
    )
  }

  /// One that its holder renews at half its life.
  static func client(_ id: SPIFFEID) -> CertificateTemplate {
    CertificateTemplate(
      commonName: id.name,
      names: [.uri(id.description)],
      usages: [.client],
      lifetime: .seconds(12 * 3600)
    )
  }

  static let day: Int64 = 86_400
}
