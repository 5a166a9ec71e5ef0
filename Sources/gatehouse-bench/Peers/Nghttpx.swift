internal import EventLoop

extension Entrant {
  /// nghttp2's proxy: C++ on the libraries that we use.
  static let nghttpx = Entrant(name: "nghttpx") { workbench, backend in
    guard let program = Programs.find("nghttpx") else {
      throw Missing(contestant: "nghttpx", reason: "not installed; install nghttp2-proxy")
    }
    let server = HostPort(host: "127.0.0.1", port: try FreePort.find())
    let files = workbench.identities
    let process = try await workbench.start([
      program, "--conf=/dev/null", "--single-process", "--workers=1",
      "--frontend=\(server.host),\(server.port)",
      "--backend=\(backend.host),\(backend.port);;proto=h2;tls;sni=localhost",
      "--verify-client", "--verify-client-cacert=\(files.clientAuthorities)",
      "--cacert=\(files.authority)", "--client-cert-file=\(files.clientCertificate)",
      "--client-private-key-file=\(files.clientKey)", "--no-ocsp",
      "--accesslog-file=/dev/null", "--errorlog-file=/dev/null",
      // Room for all calls of a link, and windows as ours for bulk.
      "--frontend-http2-max-concurrent-streams=1000", "--backend-http2-window-size=2M",
      "--frontend-http2-window-size=2M", "--frontend-http2-connection-window-size=16M",
      files.serverKey, files.serverCertificate,
    ])
    return Contestant(
      name: "nghttpx",
      server: server,
      process: process,
      includes: "mTLS on both sides, HTTP/2 to HTTP/2, 1 worker; no identity, no policy"
    )
  }
}
