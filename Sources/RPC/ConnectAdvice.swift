/// What to mend when a plane was dialled and not reached, for people.
extension RPCStatus {
  /// - Parameter host: as it was dialled, a name or address.
  /// - Returns: nil where the reason says it all, or nothing.
  package func remedy(dialling host: String) -> String? {
    // The words of OpenSSL's X509_verify_cert_error_string(3) and ERR_reason_error_string(3).
    if says("IP address mismatch") || says("hostname mismatch") {
      return "start the plane with --host \(host)"
    }
    if says("unable to get local issuer certificate")
      || says("self-signed certificate")
    {
      return "ca.pem is of another plane; take client/ca.pem of this one's state folder"
    }
    if says("alert certificate required") {
      return "this is the plane's mutual listener; --enroll-address is the open one"
    }
    if code == .unimplemented, message.hasSuffix(Self.notHere) {
      return "is it the plane's open listener? --plane is the mutual one"
    }
    return nil
  }

  /// Without the standard library's search for text, which would bring its regular expressions into the
  /// daemon: 1.2 MB.
  private func says(_ words: String) -> Bool {
    let (text, words) = (Array(message.utf8), Array(words.utf8))
    guard text.count >= words.count else { return false }
    return (0...text.count - words.count).contains(where: {
      text[$0..<$0 + words.count].elementsEqual(words)
    })
  }

  /// What a server's answer for a method that it has not ends with.
  static let notHere = "on this port"
}
