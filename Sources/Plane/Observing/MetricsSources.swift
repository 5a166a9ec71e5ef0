internal import Broker
internal import Calls
internal import EventLoop
internal import Host
internal import LogLines
internal import Metrics
internal import RPC

// What each part of the plane says at `/metrics`; on the broker's loop.

extension MetricsRegistry {
  /// A listener's connections, streams, refusals and bytes.
  mutating func add(_ server: Server, named listener: String) {
    add { page in
      let (counters, connections, streams) = server.assumeIsolated { server in
        (server.counters, server.connectionCount, server.streamCount)
      }
      page.gauge("gatehouse_connections", "Open.", connections, ["listener": listener])
      page.gauge("gatehouse_streams", "HTTP/2 streams open.", streams, ["listener": listener])
      page.add(counters, listener)
    }
  }

  mutating func add(_ broker: Broker) {
    add { page in
      let statistics = broker.assumeIsolated { $0.statistics }
      page.addCalls(statistics)
      page.addLinks(statistics)
      if let spool = statistics.spool { page.add(spool) }
    }
  }

  /// How the broker's loop keeps up.
  mutating func add(_ loop: EventLoop) {
    add { page in
      let timing = loop.timing
      page.histogram(
        "gatehouse_loop_turn_duration_seconds",
        "How long a turn of the broker's loop takes; what becomes ready meanwhile waits.",
        timing.turns
      )
      page.histogram(
        "gatehouse_loop_lateness_seconds",
        "How late the loop's timers are; waits end at whole milliseconds.",
        timing.lateness
      )
    }
  }

  /// The process, by the names that Prometheus's own clients use.
  mutating func addProcess() {
    add { page in
      let usage = ProcessUsage()
      page.counter("process_cpu_seconds_total", "User and system time.", seconds: usage.cpuSeconds)
      page.gauge("process_resident_memory_bytes", "Resident memory.", usage.residentBytes)
      page.gauge("process_virtual_memory_bytes", "Address space.", usage.virtualBytes)
      page.gauge("process_open_fds", "Open descriptors.", usage.openDescriptors)
      page.gauge("process_max_fds", "The most it may have open.", usage.maxDescriptors)
      page.gauge(
        "process_start_time_seconds",
        "Since 1970.",
        Int64(usage.startTime)
      )
      guard let heap = Heap.statistics else { return }
      page.gauge(
        "gatehouse_heap_allocated_bytes",
        "What the program has allocated.",
        heap.allocated
      )
      page.gauge("gatehouse_heap_resident_bytes", "Memory that this takes.", heap.resident)
    }
  }
}

extension MetricsPage {
  fileprivate mutating func add(_ counters: ServerCounters, _ listener: String) {
    counter(
      "gatehouse_connections_accepted_total",
      "Connections accepted.",
      counters.connectionsAccepted,
      ["listener": listener]
    )
    for failure in HandshakeFailure.allCases {
      counter(
        "gatehouse_handshake_failures_total",
        "Handshakes that came to no connection, by reason.",
        counters.handshakeFailures[failure] ?? 0,
        ["listener": listener, "reason": failure.rawValue]
      )
    }
    for code in Self.refusals(counters.refusals) {
      counter(
        "gatehouse_refusals_total",
        "Calls refused before anything was done: by permission, name or malformed metadata.",
        counters.refusals[code] ?? 0,
        ["listener": listener, "reason": code.name.lowercased()]
      )
    }
    for limit in PeerLimit.allCases {
      counter(
        "gatehouse_limits_reached_total",
        "Connections ended, connections or calls refused, messages held up, because a peer asked too much.",
        counters.limitsReached[limit] ?? 0,
        ["listener": listener, "limit": limit.rawValue]
      )
    }
    let labels: Labels = ["listener": listener]
    counter("gatehouse_streams_opened_total", "Opened by peers.", counters.streamsOpened, labels)
    counter("gatehouse_resets_total", "Streams reset by peers.", counters.resetsByPeers, labels)
    counter(
      "gatehouse_protocol_errors_total",
      "Connections ended because the peer broke HTTP/2.",
      counters.protocolErrors,
      labels
    )
    let help = "On the socket, TLS included."
    counter("gatehouse_network_received_bytes_total", help, counters.bytesReceived, labels)
    counter("gatehouse_network_sent_bytes_total", help, counters.bytesSent, labels)
  }

  /// The usual ones always, so that a graph begins at zero; others once they occur.
  private static func refusals(_ seen: [RPCStatus.Code: UInt64]) -> [RPCStatus.Code] {
    let usual: Set<RPCStatus.Code> = [.unauthenticated, .permissionDenied, .unimplemented]
    return usual.union(seen.keys).sorted { $0.rawValue < $1.rawValue }
  }

  fileprivate mutating func addCalls(_ statistics: BrokerStatistics) {
    let (calls, counters) = (statistics.calls, statistics.counters)
    for (state, count) in [
      ("queued", calls.queued), ("offered", calls.offered), ("running", calls.running),
      ("detached", calls.detached),
    ] {
      gauge(
        "gatehouse_calls",
        "Calls under way: queued wait for admission, offered for the daemon's claim.",
        count,
        ["state": state]
      )
    }
    counter("gatehouse_calls_accepted_total", "Calls taken.", counters.callsAccepted)
    for outcome in Outcome.allCases {
      counter(
        "gatehouse_calls_ended_total",
        "Calls that have ended, by outcome.",
        counters.callsEnded[outcome] ?? 0,
        ["outcome": LogRecord.word("\(outcome)")]
      )
    }
    let usual: Set<RPCStatus.Code> = [
      .notFound, .unavailable, .resourceExhausted, .invalidArgument,
    ]
    for code in usual.union(counters.callsRefused.keys).sorted(by: { $0.rawValue < $1.rawValue }) {
      counter(
        "gatehouse_calls_refused_total",
        "Calls turned down before there was one, by status.",
        counters.callsRefused[code] ?? 0,
        ["reason": code.name.lowercased()]
      )
    }
    histogram("gatehouse_call_duration_seconds", "From acceptance to the end.", counters.callTimes)
    counter(
      "gatehouse_call_output_bytes_total",
      "Output of tools that arrived.",
      counters.traffic.output
    )
    counter("gatehouse_call_stdin_bytes_total", "Input that arrived.", counters.traffic.stdin)
    counter(
      "gatehouse_call_output_lost_bytes_total",
      "Output that daemons said is lost.",
      counters.traffic.lost
    )
  }

  fileprivate mutating func add(_ spool: SpoolStatistics) {
    let counters = spool.counters
    gauge(
      "gatehouse_spool_bytes",
      "Disk that holds output of calls, or is set aside for more of it.",
      spool.segmentsUsed * spool.segmentBytes
    )
    for (state, count) in [("used", spool.segmentsUsed), ("free", spool.segmentsFree)] {
      gauge("gatehouse_spool_segments", "Files for it.", count, ["state": state])
    }
    counter("gatehouse_spool_written_bytes_total", "Output written.", counters.writtenBytes)
    counter("gatehouse_spool_syncs_total", "Points of calls' output synced.", counters.syncs)
    for (operation, count) in [
      ("write", counters.writeFailures), ("sync", counters.syncFailures),
      ("read", counters.readFailures),
    ] {
      counter(
        "gatehouse_spool_failures_total",
        "What the disk refused, or gave back damaged.",
        count,
        ["operation": operation]
      )
    }
    counter(
      "gatehouse_spool_stalls_total",
      "Times that a call had to wait for room.",
      counters.stalls
    )
    counter(
      "gatehouse_spool_dropped_bytes_total",
      "Output that quotas and full disks took.",
      counters.droppedBytes
    )
    counter(
      "gatehouse_spool_evicted_calls_total",
      "Ended calls whose output went to make room for others'.",
      counters.evicted
    )
  }

  fileprivate mutating func addLinks(_ statistics: BrokerStatistics) {
    gauge("gatehouse_links", "Workspaces whose daemon is linked.", statistics.links)
    counter("gatehouse_links_opened_total", "Links that came up.", statistics.counters.linksOpened)
    gauge("gatehouse_attachments", "Carry streams open.", statistics.carries)
    counter(
      "gatehouse_tickets_refused_total",
      "Claims with a wrong, late or foreign ticket.",
      statistics.counters.ticketsRefused
    )
    counter(
      "gatehouse_idempotency_keys_dropped_total",
      "Idempotency keys let go before their 24 hours, since there were too many.",
      statistics.keysDropped
    )
    gauge(
      "gatehouse_window_promised_bytes",
      "Receive windows promised to daemons beyond each stream's first.",
      statistics.windowsPromised
    )
    gauge("gatehouse_window_budget_bytes", "The most of that.", statistics.windowBudget)
    gauge(
      "gatehouse_call_output_held_bytes",
      "Output of calls under way that is kept in memory, for their owners and followers.",
      statistics.outputHeld
    )
  }
}
