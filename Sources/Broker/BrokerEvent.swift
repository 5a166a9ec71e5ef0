package import Calls
package import Identity
package import RPC
internal import Wire

/// Something that happened in the broker.
package enum BrokerEvent: Sendable {
  case linked(LinkReport)
  /// And why.
  case unlinked(LinkReport, RPCStatus)
  case callAccepted(String, CallOrder)
  /// There is no call: it was turned down.
  case callRefused(CallOrder, RPCStatus)
  case callEnded(CallReport)
  /// Someone wanted to carry a call, and had not the ticket for it.
  case claimRefused(String, Principal)
}

/// A link, as a record is made of it.
package struct LinkReport: Sendable {
  package let workspace: WorkspaceEntry
  package let epoch: SessionEpoch
  package let instance: InstanceID?
  package let daemonVersion: String
  package let peerAddress: String
  /// How long it has been up.
  package let age: Duration
  package let liveCalls: Int
}

/// A call that has ended, as a record is made of it.
package struct CallReport: Sendable {
  package let id: String
  package let workspace: WorkspaceEntry
  package let principal: Principal
  package let tool: String
  package let outcome: Outcome
  private let end: CallEnd?
  package let reason: BrokerCall.Reason
  package let time: Duration
  package let outputBytes: UInt64
  package let stdinBytes: UInt64
}

extension CallReport {
  /// The exit code or signal, of a command. Decoded when asked for, which is not on the loop.
  package var code: Int32 { end?.exit.code ?? 0 }
}

extension LinkReport {
  init(_ session: LinkSession, liveCalls: Int) {
    workspace = session.workspace
    epoch = session.epoch
    instance = session.instance
    daemonVersion = session.version
    peerAddress = session.peer.address
    age = .now - session.began
    self.liveCalls = liveCalls
  }
}

extension CallReport {
  init(_ call: Call, _ outcome: Outcome, _ reason: BrokerCall.Reason) {
    id = call.id
    workspace = call.workspace
    principal = call.order.principal
    tool = call.order.tool
    self.outcome = outcome
    end = call.end
    self.reason = reason
    time = .now - call.began
    let traffic = call.traffic
    outputBytes = traffic.output
    stdinBytes = traffic.stdin
  }
}
