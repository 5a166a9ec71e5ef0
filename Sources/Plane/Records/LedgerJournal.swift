internal import Broker
internal import Calls
internal import FoundationEssentials
internal import Host
internal import Identity
internal import Ledger
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// Keeps the broker's calls and links in the ledger. Told on the broker's loop, so all it does there
/// is to hand over; events are put together on the ledger's thread.
struct LedgerJournal: CallJournal {
  private let recorder: Recorder
  private let refusals: RefusalRecorder

  init(_ recorder: Recorder, _ refusals: RefusalRecorder) {
    self.recorder = recorder
    self.refusals = refusals
  }

  var failure: String? { recorder.ledger.failure.map(Recorder.refusal) }

  func intend(
    _ call: CallNote,
    then: @escaping @Sendable (Result<UInt64, JournalError>) -> Void
  ) {
    announce(then) { .intended(call, recorder) }
  }

  func holder(
    ofKeyOf call: CallNote,
    then: @escaping @Sendable (Result<String?, JournalError>) -> Void
  ) {
    // Ends with the ledger's answer.
    Task {
      do throws(LedgerError) {
        let (owner, key) = (EventPrincipal(call.order.principal), call.order.idempotencyKey)
        let kept = try await recorder.ledger.keptKey(key, of: owner)
        let since = Int64(ThisProcess.unixMicroseconds) - recorder.ledger.keyLife
        let isLive = kept.map { $0.call != call.id && ($0.ended == 0 || $0.ended > since) } ?? false
        then(.success(isLive ? kept?.call : nil))
      } catch {
        then(.failure(JournalError(Recorder.refusal(error))))
      }
    }
  }

  func offer(
    _ call: CallNote,
    on link: BrokerCall.Link,
    then: @escaping @Sendable (Result<UInt64, JournalError>) -> Void
  ) {
    announce(then) { .offered(call, link, recorder) }
  }

  private func announce(
    _ then: @escaping @Sendable (Result<UInt64, JournalError>) -> Void,
    _ event: @escaping @Sendable () -> RecordedEvent
  ) {
    recorder.ledger.submit {
      recorder.draft(event())
    } then: { result in
      then(result.map(\.sequence).mapError { JournalError(Recorder.refusal($0)) })
    }
  }

  func end(_ report: CallReport, then: @escaping @Sendable () -> Void) {
    recorder.record(
      bytes: { Self.bytes(of: report.exit, report.effects) },
      { .ended(report, recorder) },
      then: then
    )
  }

  func found(_ call: CallNote, _ found: FoundCall, then: @escaping @Sendable () -> Void) {
    recorder.record({ .found(call, found, recorder) }, then: then)
  }

  func found(
    _ calls: [String: FoundCall],
    in workspace: String,
    then: @escaping @Sendable () -> Void
  ) {
    // Ends with the ledger's answer. Where there is none the daemon keeps them, and tells the next plane.
    Task {
      let ids = Set(calls.keys)
      guard let events = try? await recorder.ledger.events(ofCalls: ids) else { return }
      let lost = events.values.compactMap(CallFold.givenUp).filter { $0.workspace.id == workspace }
      guard let last = lost.last else { return then() }
      for call in lost.dropLast() { keep(call, calls) }
      // Durable when all are.
      keep(last, calls, then: then)
    }
  }

  private func keep(
    _ call: CallNote,
    _ calls: [String: FoundCall],
    then: (@Sendable () -> Void)? = nil
  ) {
    guard let found = calls[call.id] else { return }
    recorder.record({ .found(call, found, recorder) }, then: then)
  }

  /// What a call's end holds in memory until it is written, roughly.
  static func bytes(
    of exit: Gatehouse_Tools_V1_Exit,
    _ effects: Gatehouse_Tools_V1_Effects?
  ) -> Int {
    let files = effects?.files ?? []
    return files.reduce(1_024 + exit.response.count) { sum, file in
      sum + 256 + file.path.count + file.before.text.count + file.after.text.count
        + file.diff.utf8.count
    }
  }

  func record(_ event: BrokerEvent) {
    switch event {
    case .linked(let link): recorder.record { .opened(link, recorder) }
    case .unlinked(let link, let status): recorder.record { .closed(link, status, recorder) }
    case .callAccepted: break  // its intent says so
    case .callRefused(let order, let status): refusals.record(order, status)
    case .claimRefused(let call, let principal): refusals.record(claimOf: call, by: principal)
    case .callOffered(let call, let link): recorder.record { .offered(call, link, recorder) }
    case .callStarted(let call, let epoch): recorder.record { .started(call, epoch, recorder) }
    case .callCancelled(let call, let principal, let reason):
      recorder.record { .cancelled(call, by: principal, reason, recorder) }
    case .callFound: break  // see `found`
    case .callEnded: break  // see `end`
    case .outputNotKept: break  // the log and the metrics say so
    }
  }
}

// Calls.
extension RecordedEvent {
  /// About a call: who, for whom, where, and in which chat. `principal` nil: its owner did it.
  private init(
    _ kind: EventKind,
    of call: CallNote,
    by principal: EventPrincipal?,
    _ change: (inout Recorder.Body) -> Void
  ) {
    let owner = EventPrincipal(call.order.principal)
    self.init(kind, by: principal ?? owner, in: call.workspace.id, change)
    if let principal, principal != owner { header.onBehalfOf = owner }
    header.call = call.id
    header.cause = call.intent
    guard let origin = call.order.origin else {
      scope = .owner(owner)
      return
    }
    header.chat = origin.chat
    header.turn = origin.turn
    header.step = origin.step
    scope = .chat(origin.chat)
  }

  static func intended(_ call: CallNote, _ recorder: Recorder) -> RecordedEvent {
    let order = call.order
    // A chat's call is the plane's doing, on behalf of whoever the chat is for.
    let principal = order.origin == nil ? nil : recorder.plane
    var event = RecordedEvent(.callIntended, of: call, by: principal) {
      $0.callIntended = .with {
        $0.tool = order.tool
        $0.request = Data(order.request)
        $0.digest = Data(call.digest)
        $0.timeoutMs = UInt64(clamping: call.timeout.wholeMilliseconds)
        $0.detached = order.isDetached
        $0.idempotencyKey = order.idempotencyKey
        $0.instance = Data(call.instance?.bytes ?? [])
        $0.acknowledges = order.acknowledges
        $0.resumes = order.resumes
        $0.kept = order.isKept
        $0.graceMs = UInt32(clamping: (order.grace ?? .zero).wholeMilliseconds)
        $0.workspaceName = call.workspace.name
      }
    }
    event.header.cause = order.origin?.cause ?? 0
    return event
  }

  static func offered(
    _ call: CallNote,
    _ link: BrokerCall.Link,
    _ recorder: Recorder
  ) -> RecordedEvent {
    RecordedEvent(.callOffered, of: call, by: recorder.plane) {
      $0.callOffered = .with {
        $0.epoch = link.epoch.number
        $0.instance = Data(link.instance.bytes)
      }
    }
  }

  static func started(
    _ call: CallNote,
    _ epoch: SessionEpoch?,
    _ recorder: Recorder
  ) -> RecordedEvent {
    let daemon = recorder.daemon(of: call.workspace.id)
    var event = RecordedEvent(.callStarted, of: call, by: daemon) {
      $0.callStarted = .with { $0.epoch = epoch?.number ?? 0 }
    }
    event.header.evidence = .daemon
    return event
  }

  static func found(
    _ call: CallNote,
    _ found: FoundCall,
    _ recorder: Recorder
  ) -> RecordedEvent {
    var event = RecordedEvent(.callFound, of: call, by: recorder.daemon(of: call.workspace.id)) {
      $0.callFound = .with {
        $0.running = found.isRunning
        if let exit = found.exit { $0.exit = exit }
      }
    }
    event.header.evidence = .daemon
    return event
  }

  static func cancelled(
    _ call: CallNote,
    by principal: Principal?,
    _ reason: String,
    _ recorder: Recorder
  ) -> RecordedEvent {
    let who = principal.map { EventPrincipal($0) } ?? recorder.plane
    return RecordedEvent(.callCancelled, of: call, by: who) {
      $0.callCancelled = .with { $0.reason = reason }
    }
  }

  static func ended(_ report: CallReport, _ recorder: Recorder) -> RecordedEvent {
    let call = report.call
    // The daemon's word, as it sent it; or what the plane made of its silence.
    let isReported = report.reason == .reported
    let who = isReported ? recorder.daemon(of: call.workspace.id) : recorder.plane
    var event = RecordedEvent(.callEnded, of: call, by: who) {
      $0.callEnded = .with {
        $0.exit = report.exit
        $0.reason = "\(report.reason)"
        $0.durationUs = UInt64(clamping: report.time.wholeMicroseconds)
        $0.stdinBytes = report.stdinBytes
        // An event is told in one message of 1 MiB.
        let isLong = report.exit.response.count > 128 * 1_024
        if let effects = report.effects { $0.effects = isLong ? effects.withoutTexts : effects }
      }
    }
    event.header.evidence = isReported ? .daemon : .plane
    return event
  }
}

// Links.
extension RecordedEvent {
  static func opened(_ link: LinkReport, _ recorder: Recorder) -> RecordedEvent {
    let daemon = recorder.daemon(of: link.workspace.id)
    return RecordedEvent(.linkOpened, by: daemon, in: link.workspace.id) {
      $0.linkOpened = .with {
        $0.epoch = link.epoch.number
        $0.instance = Data(link.instance?.bytes ?? [])
        $0.daemonVersion = link.daemonVersion
        $0.peer = link.peerAddress
      }
    }
  }

  static func closed(
    _ link: LinkReport,
    _ status: RPCStatus,
    _ recorder: Recorder
  ) -> RecordedEvent {
    let daemon = recorder.daemon(of: link.workspace.id)
    return RecordedEvent(.linkClosed, by: daemon, in: link.workspace.id) {
      $0.linkClosed = .with {
        $0.epoch = link.epoch.number
        $0.reason = status.isOK ? "the daemon ended it" : status.description
        $0.liveCalls = UInt32(clamping: link.liveCalls)
        $0.durationUs = UInt64(clamping: link.age.wholeMicroseconds)
      }
    }
  }
}

extension Duration {
  var wholeMicroseconds: Int64 {
    components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
  }
}
