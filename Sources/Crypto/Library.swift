internal import COpenSSL

/// OpenSSL as a whole.
package enum CryptoLibrary {
  /// Keeps OpenSSL to what is linked in: it reads no configuration file, which could name engines and
  /// providers to load. To be called before anything else of this part; later it has no effect.
  ///
  /// For the daemon, which starts in any root folder. The plane honours the system's configuration.
  package static func useNoConfiguration() {
    start(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT)
  }

  /// Keeps OpenSSL from clearing itself away in `exit`: a loop's thread that ends meanwhile clears its
  /// own part of it, of what is gone then. To be called before anything else of this part, by every
  /// program whose threads may outlive `main`.
  package static func keepUntilTheEnd() { start(OPENSSL_INIT_NO_ATEXIT) }

  private static func start(_ settings: some BinaryInteger) {
    let done = OPENSSL_init_crypto(UInt64(settings), nil)
    precondition(done == 1, "OpenSSL does not start")
  }
}
