internal import Crypto

extension ClientSettings {
  /// Whose certificate it is, and when it ends, in seconds since 1970.
  ///
  /// - Throws: when it can't be read.
  package func certificateSubject() throws -> (identity: String, notAfter: Int64) {
    let certificate = try Certificate(pem: certificatePEM)
    return (certificate.uriNames.first ?? certificate.subject, certificate.notAfter)
  }
}
