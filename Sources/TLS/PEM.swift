internal import COpenSSL

/// Certificates and keys as OpenSSL's objects, for the context that takes them.
enum PEM {
  @safe final class OwnedCertificate {
    let handle: OpaquePointer

    init(owning handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe X509_free(handle) }
  }

  @safe final class OwnedKey {
    let handle: OpaquePointer

    init(owning handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe EVP_PKEY_free(handle) }
  }

  /// All certificates in `text`, in its order; at least one.
  static func certificates(
    in text: String,
    naming name: String
  ) throws(TLSError) -> [OwnedCertificate] {
    ERR_clear_error()
    let source = try Source(text)
    var found: [OwnedCertificate] = []
    while let certificate = unsafe PEM_read_bio_X509(source.bio, nil, nil, nil) {
      found.append(unsafe OwnedCertificate(owning: certificate))
    }
    ERR_clear_error()  // the end of the text is queued as an error
    guard !found.isEmpty else {
      throw TLSError(.configuration, "no certificate in the PEM text of the \(name)")
    }
    return found
  }

  static func key(in text: String) throws(TLSError) -> OwnedKey {
    ERR_clear_error()
    let source = try Source(text)
    // A callback that gives no passphrase: otherwise OpenSSL asks on the terminal.
    guard let key = unsafe PEM_read_bio_PrivateKey(source.bio, nil, { _, _, _, _ in 0 }, nil)
    else { throw .drain(.configuration, doing: "read the private key") }
    return unsafe OwnedKey(owning: key)
  }

  /// A memory BIO with a copy of `text`.
  @safe private final class Source {
    let bio: OpaquePointer

    init(_ text: String) throws(TLSError) {
      let bytes = Array(text.utf8)
      guard let bio = unsafe BIO_new(BIO_s_mem()) else {
        throw .drain(.configuration, doing: "read PEM text")
      }
      unsafe self.bio = bio
      _ = unsafe BIO_write(bio, bytes, Int32(clamping: bytes.count))
    }

    deinit { unsafe BIO_free(bio) }
  }
}
