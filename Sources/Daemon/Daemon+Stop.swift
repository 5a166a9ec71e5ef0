internal import Calls
internal import EventLoop
internal import RPC
internal import Sandbox

/// The daemon's end.
extension Daemon {
  /// Time to tell the plane how calls ended, once their processes are gone.
  private static let farewell = Duration.seconds(1)
  /// For all calls to end. A tool may be stuck in the kernel, on a dead network file system.
  private static let stopLimit = Duration.seconds(60)

  /// Ends all calls and waits until nothing of them is left.
  func endAll() {
    guard !isStopping, whenStopped != nil else { return }
    isStopping = true
    log("stopping", ["calls": "\(live.count)"])
    for timer in [redialTimer, renewalTimer].compactMap(\.self) { loop.cancel(timer) }
    for call in live.values {
      switch call.work {
      case .none: break
      case .files(let cancellation): cancellation.cancel()
      case .command(let command): end(command, .abandoned)
      }
    }
    _ = schedule(at: .now + Self.stopLimit) { $0.end(nil) }
    stopIfDone()
  }

  /// Goes when no tool runs and the plane has every exit, or could not be told in time.
  func stopIfDone() {
    guard isStopping, whenStopped != nil else { return }
    let isRunning = live.values.contains { calls[$0.id]?.state == .running }
    guard !isRunning else { return }
    if live.isEmpty || links.isEmpty { return end(nil) }
    guard !isSayingFarewell else { return }
    isSayingFarewell = true
    _ = schedule(at: .now + Self.farewell) { $0.end(nil) }
  }

  /// The last thing the daemon does.
  func end(_ problem: DaemonOptions.Problem?) {
    guard let whenStopped else { return }
    self.whenStopped = nil
    isStopping = true
    for link in links.values { link.connection.assumeIsolated { $0.closeClient() } }
    log("stopped")
    whenStopped(problem)
  }
}
