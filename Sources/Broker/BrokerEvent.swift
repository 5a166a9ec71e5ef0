package import Calls
package import Identity
package import RPC
package import Wire

/// Something that happened in the broker.
package enum BrokerEvent: Sendable {
  case linked(LinkReport)
  /// And why.
  case unlinked(LinkReport, RPCStatus)
  case callAccepted(String, CallOrder)
  /// It is on its way to its daemon.
  case callOffered(CallNote, BrokerCall.Link)
  /// Its daemon has it.
  case callStarted(CallNote, SessionEpoch?)
  /// By someone, or for a reason of the plane's.
  case callCancelled(CallNote, by: Principal?, reason: String)
  /// There is no call: it was turned down.
  case callRefused(CallOrder, RPCStatus)
  case callEnded(CallReport)
  /// It was given up as lost, and its daemon came back and knows it. What was told of it stays.
  case callFound(CallNote, FoundCall)
  /// Its output can't be kept on disk, for now or from here on, and why.
  case outputNotKept(String, String)
  /// Someone wanted to carry a call, and had not the ticket for it.
  case claimRefused(String, Principal)
}

/// What a daemon says of a call that was given up.
package struct FoundCall: Sendable, Equatable {
  /// It still ran, and is ended now.
  package let isRunning: Bool
  /// Outcome, code, signal and `tree_gone`; nil: it did not say.
  package let exit: Gatehouse_Tools_V1_Exit?

  package var outcome: Outcome? { exit.flatMap { Outcome($0.outcome) } }

  package init(_ known: Gatehouse_Link_V1_KnownCall) {
    isRunning = !known.ended
    guard known.ended, known.hasExit else {
      exit = nil
      return
    }
    // No more than that, whatever it sent.
    var exit = Gatehouse_Tools_V1_Exit()
    exit.outcome = known.exit.outcome
    exit.code = known.exit.code
    exit.signal = known.exit.signal
    exit.treeGone = known.exit.treeGone
    self.exit = exit
  }
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
  package let call: CallNote
  package let outcome: Outcome
  private let end: CallEnd?
  package let reason: BrokerCall.Reason
  package let time: Duration
  package let outputBytes: UInt64
  package let stdinBytes: UInt64
  /// What it changed, in its daemon's words; nil: it did not say.
  package let effects: Gatehouse_Tools_V1_Effects?
}

extension CallReport {
  /// The exit code or signal, of a command. Decoded when asked for, which is not on the loop.
  package var code: Int32 { end?.exit.code ?? 0 }

  /// As its readers are told. Decoded when asked for, likewise.
  package var exit: Gatehouse_Tools_V1_Exit { end?.exit ?? Gatehouse_Tools_V1_Exit() }
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
    self.call = CallNote(call)
    self.outcome = outcome
    end = call.end
    self.reason = reason
    time = .now - call.began
    let traffic = call.traffic
    outputBytes = traffic.output
    stdinBytes = traffic.stdin
    effects = call.effects
  }
}
