internal import Calls
internal import Crypto
internal import Host
internal import Logging

/// Local daemons that end by themselves are started again. What they ran waits ten seconds for the
/// next one, and goes on.
extension Workspaces {
  /// Watches the daemon of a local workspace from now on.
  func watch(_ id: String) {
    watchers[id]?.cancel()
    guard !isClosing else { return }
    // Ended by `unwatch`, and with the plane by `stopWatching`.
    watchers[id] = Task { await keepRunning(id) }
  }

  /// Someone else sees to the daemon now.
  func unwatch(_ id: String) { watchers.removeValue(forKey: id)?.cancel() }

  /// The plane ends; the daemons go on.
  func stopWatching() async {
    isClosing = true
    let watchers = Array(watchers.values)
    self.watchers = [:]
    for watcher in watchers { watcher.cancel() }
    for watcher in watchers { await watcher.value }
  }

  /// What a daemon ran is ended when none came for ten seconds: the next one has to be started, and
  /// to find its supervisors, before that.
  static let restarts = Backoff(longest: .seconds(5))

  private func keepRunning(_ id: String) async {
    var backoff = Self.restarts
    var random = SecureRandom.Generator()
    while !Task.isCancelled, let daemon = registry.record(id)?.local?.daemon {
      let began = ContinuousClock.now
      await daemons.waitForEnd(of: daemon)
      guard !Task.isCancelled else { return }
      guard !daemon.isRunning else {
        // The kernel gives no news of it.
        try? await Task.sleep(for: .seconds(1))
        continue
      }
      backoff.linkEnded(after: .now - began)
      let wait = backoff.next(random: &random)
      await report(id, daemon, wait)
      try? await Task.sleep(for: wait)
      await restart(id)
    }
  }

  private func report(_ id: String, _ daemon: DetachedProcess, _ wait: Duration) async {
    let says = await daemons.lastWords(of: id)
    Plane.log.warning(
      "daemon_ended",
      metadata: [
        "workspace": "\(id)", "pid": "\(daemon.pid)", "restart_in": "\(wait)",
        "says": "\(says)",
      ]
    )
  }

  private func restart(_ id: String) async {
    guard !Task.isCancelled, let record = registry.record(id), !record.isStopped,
      busy.insert(id).inserted
    else { return }
    defer { busy.remove(id) }
    do throws(PlaneError) {
      try await launch(record)
    } catch {
      // Tried again: the daemon there is has still ended.
      Plane.log.error(
        "daemon_not_started",
        metadata: ["workspace": "\(id)", "error": "\(error)"]
      )
    }
  }
}
