internal import Calls
internal import FoundationEssentials
internal import Identity
internal import RPC
internal import SwiftProtobuf
internal import Wire

extension SwiftProtobuf.Message {
  /// The message's bytes.
  var encoded: [UInt8] {
    // Fails for proto2's required fields and beyond 2 GiB; we have neither.
    guard let bytes = try? serializedBytes() as [UInt8] else {
      preconditionFailure("a \(Self.protoMessageName) that cannot be encoded")
    }
    return bytes
  }

  /// Decodes what a peer sent.
  ///
  /// - Throws: `INTERNAL`, gRPC's code for a message that cannot be parsed.
  static func decoded(_ bytes: [UInt8]) throws(RPCStatus) -> Self {
    do {
      return try Self(serializedBytes: bytes)
    } catch {
      throw RPCStatus(.internalError, "malformed \(protoMessageName)")
    }
  }
}

extension Positions {
  /// Takes what a message names; the rest is 0. A stream we don't know is left out.
  init(_ offsets: [Gatehouse_Tools_V1_StreamOffset]) {
    self.init()
    for offset in offsets {
      guard let stream = CallStream(offset.stream) else { continue }
      self[stream] = offset.offset
    }
  }

  /// The positions above 0 of these streams.
  func offsets(of streams: [CallStream]) -> [Gatehouse_Tools_V1_StreamOffset] {
    streams.filter { self[$0] > 0 }.map { stream in
      var offset = Gatehouse_Tools_V1_StreamOffset()
      offset.stream = stream.wire
      offset.offset = self[stream]
      return offset
    }
  }
}

extension CallStream {
  init?(_ wire: Gatehouse_Tools_V1_Stream) {
    guard let number = UInt8(exactly: wire.rawValue) else { return nil }
    self.init(rawValue: number)
  }

  var wire: Gatehouse_Tools_V1_Stream {
    switch self {
    case .stdin: .stdin
    case .stdout: .stdout
    case .stderr: .stderr
    case .pty: .pty
    case .request: .request
    }
  }
}

extension Outcome {
  init?(_ wire: Gatehouse_Tools_V1_Outcome) {
    guard let number = UInt8(exactly: wire.rawValue) else { return nil }
    self.init(rawValue: number)
  }

  var wire: Gatehouse_Tools_V1_Outcome {
    Gatehouse_Tools_V1_Outcome(rawValue: Int(rawValue)) ?? .unspecified
  }
}

extension LostBytes {
  var wire: Gatehouse_Tools_V1_Gap {
    var gap = Gatehouse_Tools_V1_Gap()
    gap.stream = stream.wire
    gap.offset = offset
    gap.length = count
    return gap
  }
}

extension BrokerCall.State {
  var wire: Gatehouse_Tools_V1_CallState {
    switch self {
    case .queued: .queued
    case .offered: .offered
    case .running: .running
    case .detached: .detached
    case .ended: .ended
    }
  }
}

extension Call {
  /// As `List` shows it.
  var info: Gatehouse_Tools_V1_CallInfo {
    var info = Gatehouse_Tools_V1_CallInfo()
    info.callID = id
    info.workspaceID = workspace.id
    info.tool = order.tool
    info.summary = RequestSummary.make(order.request)
    info.principal = order.principal.description
    info.state = hasEnded ? .ended : machine.state.wire
    info.createdUnixUs = created
    info.digest = isErased ? Data() : Data(digest)
    if let exit = end?.exit ?? recordedEnd {
      info.outcome = exit.outcome
      info.code = exit.code
      info.totals = exit.totals
    } else {
      // So far, and without a digest.
      info.totals = CallStream.outputs.filter { log.ends[$0] > 0 }.map { stream in
        var total = Gatehouse_Tools_V1_StreamTotal()
        total.stream = stream.wire
        total.bytes = log.ends[stream]
        return total
      }
    }
    return info
  }

  /// Its state, for a reader.
  var stateMessage: [UInt8] {
    let detail =
      switch machine.state {
      case .queued: "waits for its turn in workspace '\(workspace.name)'"
      case .detached where isStopping: "the plane is stopping"
      case .detached: "the link to workspace '\(workspace.name)' was cut; resuming"
      case .running where waitsForRoom:
        "the command waits: the plane has no more room for its output, and nobody takes it"
      case .offered, .running, .ended: ""
      }
    return StateMessage.make(state: UInt64(machine.state.wire.rawValue), detail: detail)
  }

  /// The end of a call of which the daemon sent none.
  func exit(_ outcome: Outcome, _ reason: BrokerCall.Reason) -> Gatehouse_Tools_V1_Exit {
    var exit = Gatehouse_Tools_V1_Exit()
    exit.outcome = outcome.wire
    exit.treeGone = reason == .cancelledBeforeStart
    exit.error.code = reason == .deadlineInQueue ? "overloaded" : "unavailable"
    let workspace = "workspace '\(workspace.name)'"
    switch reason {
    case .reported: break
    case .refusedByDaemon, .notRecorded: exit.error = refusal ?? exit.error
    case .cancelledBeforeStart: exit.error.message = "cancelled before \(workspace) had it"
    case .deadlineInQueue:
      exit.error.message = "\(workspace) had no room for the call before its deadline"
    case .noLinkInQueue: exit.error.message = "\(workspace) was cut off before it had the call"
    case .newInstance:
      exit.error.message =
        "the daemon of \(workspace) started anew and does not know the call; look at what it did"
    case .unknownToDaemon:
      exit.error.message = "the daemon of \(workspace) does not know the call any more"
    case .protocolBroken:
      exit.error.message =
        "the daemon of \(workspace) broke the protocol: \(refusal?.message ?? "")"
    case .noExit:
      exit.error.message = "\(workspace) did not say how the call ended; look at what it did"
    case .noLink:
      exit.error.message =
        "\(workspace) was cut off and did not come back, so nobody knows how the call ended; "
        + "look at its daemon's log, and run: gatehouse workspace start \(self.workspace.name)"
    case .workspaceStopped:
      exit.error.message = "\(workspace) was stopped before it said how the call ended"
    }
    return exit
  }
}
