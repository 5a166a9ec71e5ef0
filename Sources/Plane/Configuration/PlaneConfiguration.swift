package import Broker
package import EventLoop
internal import Host
package import RPC

/// How a plane is to run. The reference page of `gatehouse plane` names this type as its source.
package struct PlaneConfiguration: Sendable {
  /// The folder for all the plane keeps; made if it is missing, private to the account.
  package var stateFolder: String
  /// Where the ledger's checkpoints go, outside the state folder; nil: beside it.
  package var checkpointFile: String?
  /// Where checkpoints are posted besides, with `https` (or to this machine); nil: nowhere. It may hold
  /// a secret.
  package var checkpointWebhook: String?
  /// How long one such post may take.
  package var checkpointWebhookTimeout = Duration.seconds(10)
  /// Requires a client certificate; serves everything but enrollment. Port 0: any free one.
  package var listen = HostPort(host: "127.0.0.1", port: 7443)
  /// Only the plane is authenticated; serves enrollment and health.
  package var listenOpen = HostPort(host: "127.0.0.1", port: 7444)
  /// Plain HTTP/1.1 for probes: `/healthz`, `/readyz`, `/metrics`.
  package var listenAdmin = HostPort(host: "127.0.0.1", port: 7445)
  /// Further names and addresses that the plane is reached by, for its certificate. The first is told
  /// to daemons and people elsewhere.
  package var hosts: [String] = []
  /// The models of chats.
  package var models = PlaneModels()
  /// Most bytes of all chats' logs; beyond it the oldest ended ones are forgotten.
  package var chatBytes = 256 << 20
  /// What is kept on disk of calls' output; none with `allBytes` 0.
  package var spool = SpoolOptions()
  /// The program of a local workspace's daemon; nil: `gatehouse-toold` beside this program.
  package var daemonProgram: String?
  /// How long a local workspace's daemon may take to link when it is started, and to end.
  package var daemonTimeout: Duration = .seconds(15)
  /// Seconds since 1970, by which the plane's own certificates are made and renewed.
  package var clock: @Sendable () -> Int64 = { ThisProcess.unixTime }

  /// Bounds and times of links and calls.
  package var broker = BrokerOptions()
  /// Bounds of each connection, on the mutual and the open listener.
  package var mutualLimits = ConnectionLimits()
  package var openLimits = ConnectionLimits.open
  package var log = LogOptions()
  /// What `models` are made from, by whoever reads the settings.
  package var model = ModelSettings()
  /// Files that commands of local workspaces must not see.
  package var hiddenFiles: [String] = []

  /// Stands before the mutual listener's services; for programs that judge a plane's peers.
  package var interpose: @Sendable (Service) -> Service = { $0 }

  package init(stateFolder: String) { self.stateFolder = stateFolder }

  /// All hosts that clients may know the plane by, besides localhost.
  var certifiedHosts: [String] {
    hosts + [listen, listenOpen].filter { !$0.isEverywhere }.map(\.host)
  }

  /// Others can connect, and not verify whom they reached.
  var isUnnamed: Bool { hosts.isEmpty && (listen.isEverywhere || listenOpen.isEverywhere) }

  /// The absolute path of the daemon's program.
  func daemonPath() throws(PlaneError) -> String {
    if let daemonProgram { return daemonProgram }
    do {
      return try ThisProcess.sibling("gatehouse-toold")
    } catch {
      throw PlaneError(.internalError, error.description)
    }
  }
}
