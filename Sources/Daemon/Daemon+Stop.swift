internal import Calls
internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import RPC
internal import Sandbox

/// The daemon's end.
extension Daemon {
  /// Time to tell the plane how calls ended, once their processes are gone.
  private static let farewell = Duration.seconds(1)
  /// For all calls to end. A tool may be stuck in the kernel, on a dead network file system.
  private static let stopLimit = Duration.seconds(60)

  /// Ends all calls and waits until nothing of them is left. Also one that is making way: then it is asked
  /// for more.
  func endAll() {
    guard !isStopping || isMakingWay, whenStopped != nil else { return }
    (isStopping, isMakingWay, isSayingFarewell) = (true, false, false)
    log("stopping", ["calls": "\(live.count)"])
    for timer in [redialTimer, renewalTimer].compactMap(\.self) { loop.cancel(timer) }
    for call in live.values {
      switch call.work {
      case .none: break
      case .files(let cancellation): cancellation.cancel()
      case .command(let command):
        end(command, .abandoned)
        limitTail(of: call.id)
      }
    }
    _ = schedule(at: .now + Self.stopLimit) { $0.end(nil) }
    stopIfDone()
  }

  /// Goes when no tool runs and the plane has every exit, or could not be told in time.
  func stopIfDone() {
    guard isStopping, whenStopped != nil else { return }
    guard !isMakingWay else { return makeWayIfDone() }
    let isRunning = live.values.contains { calls[$0.id]?.state == .running }
    guard !isRunning else { return }
    if live.isEmpty || links.isEmpty { return end(nil) }
    guard !isSayingFarewell else { return }
    isSayingFarewell = true
    _ = schedule(at: .now + Self.farewell) { $0.end(nil) }
  }

  /// Another program may take this one's place at any moment: no transfer is begun that it would have to
  /// count.
  var hasEnded: Bool { whenStopped == nil }

  /// The last thing the daemon does.
  func end(_ problem: DaemonOptions.Problem?) {
    guard let whenStopped else { return }
    self.whenStopped = nil
    isStopping = true
    for link in links.values { link.connection.assumeIsolated { $0.closeClient() } }
    // Nobody looks after them any more. In a program of its own this makes no difference.
    for child in departing { try? spawner.submit { Program.reap(child) } }
    departing = []
    log("stopped")
    whenStopped(problem)
  }
}

/// An end that the plane takes no notice of: the successor is the same run of the daemon to it.
extension Daemon {
  /// For what cannot be handed over: a file tool at work, a command that is being started or looked behind.
  private static let makeWayLimit = Duration.seconds(10)
  private static let instanceName = "instance"

  func beginMakingWay() {
    guard !isStopping, whenStopped != nil else { return }
    (isStopping, isMakingWay) = (true, true)
    log("making_way", ["calls": "\(live.count)"])
    for timer in [redialTimer, renewalTimer].compactMap(\.self) { loop.cancel(timer) }
    // Nothing of it was started, and what came of it goes with this process.
    for call in live.values where calls[call.id]?.state == .received {
      toolEnded(call.id, Ending(.refused, .restarting))
    }
    _ = schedule(at: .now + Self.makeWayLimit) { if $0.isMakingWay { $0.leave() } }
    makeWayIfDone()
  }

  private func makeWayIfDone() {
    guard !live.values.contains(where: { isInHand($0) }) else { return }
    // What is not on disk is told now, or never.
    let isUntold = live.values.contains {
      $0.exit != nil && $0.command?.folder == nil && $0.folder == nil
    }
    guard isUntold, !links.isEmpty else { return leave() }
    guard !isSayingFarewell else { return }
    isSayingFarewell = true
    _ = schedule(at: .now + Self.farewell) { if $0.isMakingWay { $0.leave() } }
  }

  /// It is between two states of which the disk knows.
  private func isInHand(_ call: LiveCall) -> Bool {
    guard call.exit == nil else { return false }
    switch call.work {
    case .none: return false
    case .files: return true
    case .command(let command): return command.link == nil || command.isSurveyed
    }
  }

  private func leave() {
    guard whenStopped != nil else { return }
    try? state.folder.write(Self.instanceName, [CallJournal.version] + instance.bytes)
    end(nil)
  }

  /// The one before this one's, when that made way: it has told all it knew. Offers that it did not hear any
  /// more are then made again, since nothing came of them. Of a version whose journal is not read, what was
  /// started is not known.
  static func takeInstance(_ state: SharedFolder) -> InstanceID {
    let left = (try? state.folder.read(instanceName)).flatMap(\.self) ?? []
    state.folder.remove(instanceName)
    guard left.first == CallJournal.version, let id = InstanceID(bytes: Array(left.dropFirst()))
    else { return makeInstance() }
    return id
  }

  static func makeInstance() -> InstanceID {
    var random = SecureRandom.Generator()
    return InstanceID(random: &random)
  }
}

extension ToolError {
  fileprivate static let restarting = ToolError(
    code: "unavailable",
    message:
      "the workspace's daemon is being restarted, and the request had not come whole; try again"
  )
}
