internal import EventLoop

extension Entrant {
  /// HAProxy with one thread.
  static let haproxy = Entrant(name: "haproxy") { workbench, backend in
    guard let program = Programs.find("haproxy") else {
      throw Missing(contestant: "haproxy", reason: "not installed; install haproxy")
    }
    let server = HostPort(host: "127.0.0.1", port: try FreePort.find())
    let text = configuration(server, backend, workbench.identities)
    let file = try workbench.write(Array(text.utf8), to: "haproxy.cfg")
    return Contestant(
      name: "haproxy",
      server: server,
      process: try await workbench.start([program, "-db", "-q", "-f", file]),
      includes: "mTLS on both sides, HTTP/2 to HTTP/2, 1 thread; no identity, no policy"
    )
  }

  private static func configuration(
    _ server: HostPort,
    _ backend: HostPort,
    _ files: Identities
  ) -> String {
    """
    global
      nbthread 1
      tune.h2.max-concurrent-streams 1000
      tune.h2.initial-window-size 2097152
    defaults
      mode http
      timeout connect 5s
      timeout client 60s
      timeout server 60s
    frontend calls
      bind \(server) ssl crt \(files.serverWithKey) ca-file \(files.clientAuthorities) \
    verify required alpn h2
      default_backend echo
    backend echo
      http-reuse always
      server echo \(backend) ssl crt \(files.clientWithKey) ca-file \(files.authority) \
    verify required alpn h2 proto h2

    """
  }
}
