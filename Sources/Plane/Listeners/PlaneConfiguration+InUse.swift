internal import EventLoop
internal import Glibc

extension PlaneConfiguration {
  /// Which option chooses another address, when one cannot be had since another program has it.
  ///
  /// - Returns: nil for other errors.
  package func remedy(for error: any Error) -> String? {
    guard let error = error as? SystemError, error.code == EADDRINUSE else { return nil }
    let options = [
      (listen, "--listen"), (listenOpen, "--listen-open"), (listenAdmin, "--listen-admin"),
    ]
    // A name stands there as its address.
    let taken = options.first { error.operation.hasSuffix(":\($0.0.port)") }
    return taken.map { "choose another with \($0.1)" }
  }
}
