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
    try await plane(
      "gatehouse",
      in: workbench,
      includes: """
        mTLS on both sides, 1 loop, principal, permission, admission, offer, ticket, Carry, log, \
        exit; one link to the daemon
        """
    )
  }

  /// The same with a ledger: calls are recorded as a plane's are.
  static func gatehousePlaneWithLedger(in workbench: Workbench) async throws -> Contestant {
    try await plane(
      recordedName,
      ["--ledger", "\(workbench.folder)/relay-ledger"],
      in: workbench,
      includes: """
        the same, and four events in the ledger for each call, its intent durable before its offer
        """
    )
  }

  /// Our broker, which keeps output on disk as well.
  static func gatehousePlaneThatKeeps(in workbench: Workbench) async throws -> Contestant {
    try await plane(
      "gatehouse, output kept",
      ["--spool", "\(workbench.folder)/relay-spool"],
      in: workbench,
      includes: """
        as gatehouse's, and each byte written to disk and synced, the oldest given up beyond 256 MiB
        """
    )
  }

  /// As figures name it.
  static let recordedName = "gatehouse, ledger on"

  private static func plane(
    _ name: String,
    _ options: [String] = [],
    in workbench: Workbench,
    includes: String
  ) async throws -> Contestant {
    let own = try Workbench.ownProgram()
    let identities = ["--identities", workbench.identities.folder]
    let (process, server) = try await workbench.serve(own, ["serve-plane"] + identities + options)
    _ = try await workbench.serve(
      own,
      ["serve-daemon", "--port", "\(server.port)"] + identities
    )
    return Contestant(name: name, server: server, process: process, includes: includes)
  }
}
