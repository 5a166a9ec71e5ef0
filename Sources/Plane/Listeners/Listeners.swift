internal import EventLoop
internal import Identity
internal import RPC
internal import Synchronization

/// The three listeners, once they are open.
///
/// Bound late: services tell peers where the plane listens, which is known when the sockets are
/// open, and a server needs its services before.
final class Listeners: Sendable {
  struct Bound: Sendable {
    let mutual: Server
    let open: Server
    let admin: AdminListener
    let addresses: Plane.Addresses

    func start() async throws {
      try await mutual.start()
      try await open.start()
      try await admin.start()
    }
  }

  private let value = Mutex<Bound?>(nil)

  func bind(_ bound: Bound) { value.withLock { $0 = bound } }

  var bound: Bound {
    guard let bound = value.withLock({ $0 }) else {
      preconditionFailure("the listeners take calls before they are bound")
    }
    return bound
  }

  /// Ends the connections of a workspace's daemon.
  func endConnections(of workspaceID: String, _ reason: RPCStatus) async {
    await bound.mutual.endConnections(reason) { $0.isDaemon(of: workspaceID) }
  }

  func cutConnections(of workspaceID: String) async {
    await bound.mutual.cutConnections { $0.isDaemon(of: workspaceID) }
  }
}

extension Peer {
  fileprivate func isDaemon(of workspaceID: String) -> Bool {
    guard let principal = identity as? Principal else { return false }
    return principal.kind == .workspace && principal.name == workspaceID
  }
}

extension HostPort {
  /// The first address of a name to listen on. Blocks while a name is looked up.
  func resolved() throws(PlaneError) -> SocketAddress {
    let addresses: [SocketAddress]
    do {
      addresses = try SocketAddress.resolve(host, port: port)
    } catch {
      throw PlaneError(.invalidArgument, "cannot listen on \(self): \(error)")
    }
    guard let address = addresses.first else {
      throw PlaneError(.invalidArgument, "cannot listen on \(self): it has no address")
    }
    return address
  }

  /// All addresses of the machine.
  var isEverywhere: Bool { host == "0.0.0.0" || host == "::" }

  /// Where a listener on this address is reached, with its real port: by `host`, or else by the name
  /// that its certificate is for in any case when it listens everywhere.
  func reached(at address: SocketAddress, as host: String? = nil) -> HostPort {
    HostPort(host: host ?? (isEverywhere ? "localhost" : self.host), port: address.port)
  }
}
