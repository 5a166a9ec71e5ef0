import Calls
import TestSupport

/// A daemon's connection: its `Connect` stream and the `Carry` streams opened on it.
final class Wire {
  let epoch: SessionEpoch
  let toPlane = Pipe<ToPlane>()
  let toDaemon = Pipe<ToDaemon>()
  var carries: [Carry] = []

  init(epoch: SessionEpoch) { self.epoch = epoch }

  enum ToPlane {
    case hello(InstanceID, known: [String])
    case refused(String)
    case unclaimed(String)
  }

  enum ToDaemon {
    case offer(String, Ticket)
    case resume(String, Ticket, Positions)
    case cancel(String)
    case forget(String)
  }

  func cut(_ random: inout Seeded) {
    toPlane.cut(&random)
    toDaemon.cut(&random)
    for carry in carries { carry.cut(&random) }
  }

  /// The plane's program is gone.
  func abandonByPlane(_ random: inout Seeded) {
    cut(&random)
    toPlane.abandon()
    for carry in carries { carry.up.abandon() }
  }

  /// The daemon's program is gone.
  func abandonByDaemon(_ random: inout Seeded) {
    cut(&random)
    toDaemon.abandon()
    for carry in carries { carry.down.abandon() }
  }
}

final class Carry {
  let call: String
  let claim: BrokerCall.Claim
  /// The daemon's number of it.
  let number: Int
  /// The plane's number of it, once its ticket was good.
  var attachment: Int?
  let up = Pipe<Up>()
  let down = Pipe<Down>()
  /// Where the daemon's output goes on.
  var sent: UInt64 = 0
  var isExitSent = false

  init(call: String, claim: BrokerCall.Claim, number: Int) {
    self.call = call
    self.claim = claim
    self.number = number
  }

  enum Up {
    case opened(stdin: UInt64)
    case chunk([UInt8])
    case gap(LostBytes)
    case stdinTaken(UInt64)
    case exit(Outcome)
  }

  enum Down {
    case chunk([UInt8])
    case closeStdin(UInt64)
    case acknowledged(Positions)
    /// Status OK after the exit.
    case done
  }

  func cut(_ random: inout Seeded) {
    up.cut(&random)
    down.cut(&random)
  }
}

/// The byte at a position of a call's stream, the same at both ends.
func byte(_ call: String, _ stream: CallStream, _ position: UInt64) -> UInt8 {
  let seed = UInt64(call.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
  return UInt8(
    truncatingIfNeeded: (position &+ seed) &* 0x9e37_79b9 >> 7 &+ UInt64(stream.rawValue)
  )
}

func bytes(_ call: String, _ stream: CallStream, from: UInt64, count: Int) -> [UInt8] {
  (0..<UInt64(count)).map { byte(call, stream, from + $0) }
}
