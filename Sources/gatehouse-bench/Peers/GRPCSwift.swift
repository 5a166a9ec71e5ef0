internal import EventLoop
internal import FoundationEssentials

extension Entrant {
  /// grpc-swift 2 on its NIO transport: the echo server built from `Tests/BenchPeers`.
  static let grpcSwift = Entrant(name: "grpc-swift 2") { workbench, _ in
    let program = "\(workbench.peers)/grpc-swift-echo/.build/release/grpc-swift-echo"
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw Missing(contestant: "grpc-swift 2", reason: "not built; run: make bench-peers")
    }
    let files = workbench.identities
    let (process, server) = try await workbench.serve(
      program,
      [
        EchoService.echo, files.serverCertificate, files.serverKey, files.clientAuthorities,
      ]
    )
    return Contestant(
      name: "grpc-swift 2",
      server: server,
      process: process,
      includes: "mTLS, 1 event loop; no identity, no policy"
    )
  }
}
