internal import Ledger
internal import Logging
internal import Metrics

/// What people should know of the ledger, in the log and at `/metrics`.
enum LedgerNotices {
  static func log(_ notice: LedgerNotice) {
    let log = Plane.log
    switch notice {
    case .failing(let error):
      log.error(
        "ledger_failing",
        metadata: ["error": "\(error)", "effect": "nothing new is started"]
      )
    case .resumed(let kept, let missing):
      log.notice("ledger_resumed", metadata: ["waited": "\(kept)", "missing": "\(missing)"])
    case .checkpointFailed(let reason):
      log.error("checkpoint_not_kept", metadata: ["error": "\(reason)"])
    case .checkpointsLong(let bytes, let remedy):
      log.warning("checkpoints_long", metadata: ["bytes": "\(bytes)", "remedy": "\(remedy)"])
    case .indexing(let done, let all):
      log.notice(
        "ledger_indexing",
        metadata: ["done": "\(done)", "of": "\(all)", "effect": "the plane serves when all is"]
      )
    case .unwritten(let count):
      log.error("ledger_unwritten", metadata: ["events": "\(count)"])
    }
  }
}

extension MetricsRegistry {
  mutating func add(_ ledger: Ledger) {
    add { page in
      let now = ledger.statistics
      page.counter("gatehouse_ledger_events_total", "Events that are durable.", now.lastSequence)
      page.counter("gatehouse_ledger_batches_total", "Commits since the start.", now.batches)
      page.gauge("gatehouse_ledger_waiting", "Events that wait to be written.", now.waiting)
      page.gauge(
        "gatehouse_ledger_checkpoint",
        "The last event that a checkpoint outside vouches for.",
        Int(clamping: now.lastCheckpoint)
      )
      page.gauge(
        "gatehouse_ledger_failing",
        "1 while nothing can be written, and so nothing new is started.",
        now.isFailing ? 1 : 0
      )
    }
  }
}
