internal import Crypto
internal import Identity

extension CertificateTemplate {
  /// The plane on its own machine, and by the further `hosts` it is reached by. Renewed at a start,
  /// so it must outlive the time between two.
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

  /// Whoever started the plane. Renewed at a start, as the server's.
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
