internal import EventLoop

extension Contestant {
  /// Our echo server.
  static func gatehouseEcho(in workbench: Workbench) async throws -> Contestant {
    let (process, server) = try await workbench.serve(
      Workbench.ownProgram(),
      ["serve-echo", "--identities", workbench.identities.folder]
    )
    return Contestant(
      name: "gatehouse",
      server: server,
      process: process,
      includes: "mTLS, 1 loop, certificate mapped to a principal, each call's permission decided"
    )
  }
}
