internal import COpenSSL

/// OpenSSL as a whole.
package enum CryptoLibrary {
  /// Keeps OpenSSL to what is linked in: it reads no configuration file, which could name engines and
  /// providers to load. To be called before anything else of this part; later it has no effect.
  ///
  /// For the daemon, which starts in any root folder. The plane honours the system's configuration.
  package static func useNoConfiguration() {
    let done = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil)
    precondition(done == 1, "OpenSSL does not start")
  }
}
