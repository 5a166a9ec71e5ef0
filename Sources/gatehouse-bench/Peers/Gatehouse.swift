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

  /// Our broker, with a linked daemon of one workspace.
  static func gatehousePlane(in workbench: Workbench) async throws -> Contestant {
    let own = try Workbench.ownProgram()
    let identities = ["--identities", workbench.identities.folder]
    let (process, server) = try await workbench.serve(own, ["serve-plane"] + identities)
    _ = try await workbench.serve(
      own,
      ["serve-daemon", "--port", "\(server.port)"] + identities
    )
    return Contestant(
      name: "gatehouse",
      server: server,
      process: process,
      includes: """
        mTLS on both sides, 1 loop, principal, permission, admission, offer, ticket, Carry, log, \
        exit; one link to the daemon
        """
    )
  }
}
