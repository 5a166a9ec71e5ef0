internal import WireC

/// What the daemon says on `Connect`.
package struct ConnectRequest: WireMessage {
  package enum Message: Equatable, Sendable {
    case hello(Hello)
    case inventory(Inventory)
    case heartbeat(Heartbeat)
    case refused(Refused)
    case unclaimed(Unclaimed)
  }

  package var message: Message?

  package init(message: Message? = nil) {
    self.message = message
  }
}

extension ConnectRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__connect_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__ConnectRequest.self)
    switch unsafe c.message_case {
    case GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_HELLO:
      message = unsafe Copy.message(c.hello).map { .hello($0) }
    case GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_INVENTORY:
      message = unsafe Copy.message(c.inventory).map { .inventory($0) }
    case GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_HEARTBEAT:
      message = unsafe Copy.message(c.heartbeat).map { .heartbeat($0) }
    case GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_REFUSED:
      message = unsafe Copy.message(c.refused).map { .refused($0) }
    case GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_UNCLAIMED:
      message = unsafe Copy.message(c.unclaimed).map { .unclaimed($0) }
    default: message = nil
    }
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__ConnectRequest.self)
    switch message {
    case .hello(let value):
      unsafe c.pointee.hello = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_HELLO
    case .inventory(let value):
      unsafe c.pointee.inventory = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_INVENTORY
    case .heartbeat(let value):
      unsafe c.pointee.heartbeat = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_HEARTBEAT
    case .refused(let value):
      unsafe c.pointee.refused = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_REFUSED
    case .unclaimed(let value):
      unsafe c.pointee.unclaimed = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_REQUEST__MESSAGE_UNCLAIMED
    case nil: break
    }
  }
}

/// The daemon's first message.
package struct Hello: WireMessage {
  /// The protocol's generation; this file describes 1.
  package var generation: UInt32
  /// Made at random at each start of the daemon, 16 bytes: calls known to
  /// another instance are not known to this one, unless its inventory says so.
  package var instanceId: [UInt8]
  /// What the daemon can do beyond the generation: its tools ("process.exec"), and
  /// features by name.
  package var capabilities: [String]
  /// Calls it carries at once.
  package var maxCalls: UInt32
  /// For people: program and version.
  package var version: String

  package init(
    generation: UInt32 = 0,
    instanceId: [UInt8] = [],
    capabilities: [String] = [],
    maxCalls: UInt32 = 0,
    version: String = ""
  ) {
    self.generation = generation
    self.instanceId = instanceId
    self.capabilities = capabilities
    self.maxCalls = maxCalls
    self.version = version
  }
}

extension Hello: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__hello__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Hello.self)
    generation = unsafe c.generation
    instanceId = unsafe Copy.blob(c.instance_id)
    capabilities = unsafe Copy.texts(c.n_capabilities, c.capabilities)
    maxCalls = unsafe c.max_calls
    version = unsafe Copy.text(c.version)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Hello.self)
    unsafe c.pointee.generation = generation
    unsafe c.pointee.instance_id = arena.blob(instanceId)
    unsafe (c.pointee.n_capabilities, c.pointee.capabilities) = try arena.texts(capabilities)
    unsafe c.pointee.max_calls = maxCalls
    unsafe c.pointee.version = try arena.text(version)
  }
}

/// The calls the daemon knows, in pages of at most 64 KiB; offers wait for the
/// last page. A daemon with no calls sends one empty last page.
package struct Inventory: WireMessage {
  package var calls: [KnownCall]
  package var last: Bool

  package init(calls: [KnownCall] = [], last: Bool = false) {
    self.calls = calls
    self.last = last
  }
}

extension Inventory: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__inventory__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Inventory.self)
    calls = unsafe Copy.messages(c.n_calls, c.calls)
    last = unsafe c.last != 0
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Inventory.self)
    unsafe (c.pointee.n_calls, c.pointee.calls) = try arena.messages(calls)
    unsafe c.pointee.last = last ? 1 : 0
  }
}

/// A call the daemon knows.
package struct KnownCall: WireMessage {
  package var callId: String
  package var digest: [UInt8]
  /// Has an exit record that no plane acknowledged.
  package var ended: Bool
  /// Of one that has ended, how: outcome, code, signal and `treeGone` only.
  package var exit: Exit?

  package init(
    callId: String = "",
    digest: [UInt8] = [],
    ended: Bool = false,
    exit: Exit? = nil
  ) {
    self.callId = callId
    self.digest = digest
    self.ended = ended
    self.exit = exit
  }
}

extension KnownCall: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__known_call__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__KnownCall.self)
    callId = unsafe Copy.text(c.call_id)
    digest = unsafe Copy.blob(c.digest)
    ended = unsafe c.ended != 0
    exit = unsafe Copy.message(c.exit)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__KnownCall.self)
    unsafe c.pointee.call_id = try arena.text(callId)
    unsafe c.pointee.digest = arena.blob(digest)
    unsafe c.pointee.ended = ended ? 1 : 0
    unsafe c.pointee.exit = try arena.message(exit)
  }
}

/// Both ways. The plane says in `Welcome` how often.
package struct Heartbeat: WireMessage {
  /// Counts up, per direction.
  package var sequence: UInt64

  package init(sequence: UInt64 = 0) {
    self.sequence = sequence
  }
}

extension Heartbeat: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__heartbeat__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Heartbeat.self)
    sequence = unsafe c.sequence
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Heartbeat.self)
    unsafe c.pointee.sequence = sequence
  }
}

/// Nothing of this call was started, nor will be.
package struct Refused: WireMessage {
  package var callId: String
  package var error: ToolError?

  package init(callId: String = "", error: ToolError? = nil) {
    self.callId = callId
    self.error = error
  }
}

extension Refused: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__refused__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Refused.self)
    callId = unsafe Copy.text(c.call_id)
    error = unsafe Copy.message(c.error)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Refused.self)
    unsafe c.pointee.call_id = try arena.text(callId)
    unsafe c.pointee.error = try arena.message(error)
  }
}

/// A `Carry` was refused or cut; the call lives on and waits for a `resume`.
package struct Unclaimed: WireMessage {
  package var callId: String
  package var reason: String

  package init(callId: String = "", reason: String = "") {
    self.callId = callId
    self.reason = reason
  }
}

extension Unclaimed: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__unclaimed__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Unclaimed.self)
    callId = unsafe Copy.text(c.call_id)
    reason = unsafe Copy.text(c.reason)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Unclaimed.self)
    unsafe c.pointee.call_id = try arena.text(callId)
    unsafe c.pointee.reason = try arena.text(reason)
  }
}

/// What the plane says on `Connect`.
package struct ConnectResponse: WireMessage {
  package enum Message: Equatable, Sendable {
    case welcome(Welcome)
    case offer(Offer)
    case resume(Resume)
    case cancel(CancelCall)
    case heartbeat(Heartbeat)
    case drain(Drain)
    case forget(Forget)
  }

  package var message: Message?

  package init(message: Message? = nil) {
    self.message = message
  }
}

extension ConnectResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__connect_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__ConnectResponse.self)
    switch unsafe c.message_case {
    case GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_WELCOME:
      message = unsafe Copy.message(c.welcome).map { .welcome($0) }
    case GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_OFFER:
      message = unsafe Copy.message(c.offer).map { .offer($0) }
    case GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_RESUME:
      message = unsafe Copy.message(c.resume).map { .resume($0) }
    case GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_CANCEL:
      message = unsafe Copy.message(c.cancel).map { .cancel($0) }
    case GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_HEARTBEAT:
      message = unsafe Copy.message(c.heartbeat).map { .heartbeat($0) }
    case GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_DRAIN:
      message = unsafe Copy.message(c.drain).map { .drain($0) }
    case GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_FORGET:
      message = unsafe Copy.message(c.forget).map { .forget($0) }
    default: message = nil
    }
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__ConnectResponse.self)
    switch message {
    case .welcome(let value):
      unsafe c.pointee.welcome = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_WELCOME
    case .offer(let value):
      unsafe c.pointee.offer = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_OFFER
    case .resume(let value):
      unsafe c.pointee.resume = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_RESUME
    case .cancel(let value):
      unsafe c.pointee.cancel = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_CANCEL
    case .heartbeat(let value):
      unsafe c.pointee.heartbeat = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_HEARTBEAT
    case .drain(let value):
      unsafe c.pointee.drain = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_DRAIN
    case .forget(let value):
      unsafe c.pointee.forget = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CONNECT_RESPONSE__MESSAGE_FORGET
    case nil: break
    }
  }
}

/// Answers `hello`. Everything that follows is of this session.
package struct Welcome: WireMessage {
  /// Grows with each link of this workspace.
  package var sessionEpoch: UInt64
  /// The plane's.
  package var generation: UInt32
  package var capabilities: [String]
  /// How often each side sends one.
  package var heartbeatMs: UInt32
  /// Time to claim a ticket.
  package var ticketMs: UInt32
  /// Most the plane will have under way here.
  package var maxCalls: UInt32
  package var workspaceId: String
  package var workspaceName: String

  package init(
    sessionEpoch: UInt64 = 0,
    generation: UInt32 = 0,
    capabilities: [String] = [],
    heartbeatMs: UInt32 = 0,
    ticketMs: UInt32 = 0,
    maxCalls: UInt32 = 0,
    workspaceId: String = "",
    workspaceName: String = ""
  ) {
    self.sessionEpoch = sessionEpoch
    self.generation = generation
    self.capabilities = capabilities
    self.heartbeatMs = heartbeatMs
    self.ticketMs = ticketMs
    self.maxCalls = maxCalls
    self.workspaceId = workspaceId
    self.workspaceName = workspaceName
  }
}

extension Welcome: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__welcome__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Welcome.self)
    sessionEpoch = unsafe c.session_epoch
    generation = unsafe c.generation
    capabilities = unsafe Copy.texts(c.n_capabilities, c.capabilities)
    heartbeatMs = unsafe c.heartbeat_ms
    ticketMs = unsafe c.ticket_ms
    maxCalls = unsafe c.max_calls
    workspaceId = unsafe Copy.text(c.workspace_id)
    workspaceName = unsafe Copy.text(c.workspace_name)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Welcome.self)
    unsafe c.pointee.session_epoch = sessionEpoch
    unsafe c.pointee.generation = generation
    unsafe (c.pointee.n_capabilities, c.pointee.capabilities) = try arena.texts(capabilities)
    unsafe c.pointee.heartbeat_ms = heartbeatMs
    unsafe c.pointee.ticket_ms = ticketMs
    unsafe c.pointee.max_calls = maxCalls
    unsafe c.pointee.workspace_id = try arena.text(workspaceId)
    unsafe c.pointee.workspace_name = try arena.text(workspaceName)
  }
}

/// Run this. Accept by opening `Carry`, or answer `refused`. A repeated offer of
/// a known call starts nothing: open `Carry` for it.
package struct Offer: WireMessage {
  package var callId: String
  /// 16 bytes, one use.
  package var ticket: [UInt8]
  /// Of tool and request; a daemon checks it.
  package var digest: [UInt8]
  /// From receipt; then the outcome is TIMED_OUT.
  package var deadlineMs: UInt64
  package var tool: String
  /// Up to 32 KiB. Longer ones follow on `Carry` as chunks of STREAM_REQUEST.
  package var request: [UInt8]
  /// Whole length; more than `request` when it follows.
  package var requestBytes: UInt64

  package init(
    callId: String = "",
    ticket: [UInt8] = [],
    digest: [UInt8] = [],
    deadlineMs: UInt64 = 0,
    tool: String = "",
    request: [UInt8] = [],
    requestBytes: UInt64 = 0
  ) {
    self.callId = callId
    self.ticket = ticket
    self.digest = digest
    self.deadlineMs = deadlineMs
    self.tool = tool
    self.request = request
    self.requestBytes = requestBytes
  }
}

extension Offer: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__offer__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Offer.self)
    callId = unsafe Copy.text(c.call_id)
    ticket = unsafe Copy.blob(c.ticket)
    digest = unsafe Copy.blob(c.digest)
    deadlineMs = unsafe c.deadline_ms
    tool = unsafe Copy.text(c.tool)
    request = unsafe Copy.blob(c.request)
    requestBytes = unsafe c.request_bytes
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Offer.self)
    unsafe c.pointee.call_id = try arena.text(callId)
    unsafe c.pointee.ticket = arena.blob(ticket)
    unsafe c.pointee.digest = arena.blob(digest)
    unsafe c.pointee.deadline_ms = deadlineMs
    unsafe c.pointee.tool = try arena.text(tool)
    unsafe c.pointee.request = arena.blob(request)
    unsafe c.pointee.request_bytes = requestBytes
  }
}

/// Open `Carry` again for a call you know, going on after these positions.
package struct Resume: WireMessage {
  package var callId: String
  package var ticket: [UInt8]
  /// Need not be kept any more.
  package var acknowledged: [StreamOffset]
  /// Has arrived, where that is more.
  package var received: [StreamOffset]

  package init(
    callId: String = "",
    ticket: [UInt8] = [],
    acknowledged: [StreamOffset] = [],
    received: [StreamOffset] = []
  ) {
    self.callId = callId
    self.ticket = ticket
    self.acknowledged = acknowledged
    self.received = received
  }
}

extension Resume: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__resume__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Resume.self)
    callId = unsafe Copy.text(c.call_id)
    ticket = unsafe Copy.blob(c.ticket)
    acknowledged = unsafe Copy.messages(c.n_acknowledged, c.acknowledged)
    received = unsafe Copy.messages(c.n_received, c.received)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Resume.self)
    unsafe c.pointee.call_id = try arena.text(callId)
    unsafe c.pointee.ticket = arena.blob(ticket)
    unsafe (c.pointee.n_acknowledged, c.pointee.acknowledged) = try arena.messages(acknowledged)
    unsafe (c.pointee.n_received, c.pointee.received) = try arena.messages(received)
  }
}

/// End this call: kill its tree, then send `exit` on its `Carry`. If the call is
/// not known, remember the id and refuse a later offer of it.
package struct CancelCall: WireMessage {
  package var callId: String

  package init(callId: String = "") {
    self.callId = callId
  }
}

extension CancelCall: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__cancel_call__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__CancelCall.self)
    callId = unsafe Copy.text(c.call_id)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__CancelCall.self)
    unsafe c.pointee.call_id = try arena.text(callId)
  }
}

/// Finish what runs, take no more, and connect again. Make before break: the
/// old session goes on until its calls have moved or ended.
package struct Drain: WireMessage {
  package var reason: String

  package init(reason: String = "") {
    self.reason = reason
  }
}

extension Drain: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__drain__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Drain.self)
    reason = unsafe Copy.text(c.reason)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Drain.self)
    unsafe c.pointee.reason = try arena.text(reason)
  }
}

/// The plane has these calls' exits, or does not know them: drop what is kept,
/// and end what still runs.
package struct Forget: WireMessage {
  package var callIds: [String]

  package init(callIds: [String] = []) {
    self.callIds = callIds
  }
}

extension Forget: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__forget__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Forget.self)
    callIds = unsafe Copy.texts(c.n_call_ids, c.call_ids)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Forget.self)
    unsafe (c.pointee.n_call_ids, c.pointee.call_ids) = try arena.texts(callIds)
  }
}

/// What the daemon says on `Carry`.
package struct CarryRequest: WireMessage {
  package enum Message: Equatable, Sendable {
    /// Output.
    case chunk(Chunk)
    case gap(Gap)
    case exit(Exit)
    case opened(Opened)
    /// Stdin the tool has taken.
    case ack(Ack)
    /// What the call changed, before `exit`.
    case effects(Effects)
  }

  package var message: Message?

  package init(message: Message? = nil) {
    self.message = message
  }
}

extension CarryRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__carry_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__CarryRequest.self)
    switch unsafe c.message_case {
    case GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_CHUNK:
      message = unsafe Copy.message(c.chunk).map { .chunk($0) }
    case GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_GAP:
      message = unsafe Copy.message(c.gap).map { .gap($0) }
    case GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_EXIT:
      message = unsafe Copy.message(c.exit).map { .exit($0) }
    case GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_OPENED:
      message = unsafe Copy.message(c.opened).map { .opened($0) }
    case GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_ACK:
      message = unsafe Copy.message(c.ack).map { .ack($0) }
    case GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_EFFECTS:
      message = unsafe Copy.message(c.effects).map { .effects($0) }
    default: message = nil
    }
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__CarryRequest.self)
    switch message {
    case .chunk(let value):
      unsafe c.pointee.chunk = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_CHUNK
    case .gap(let value):
      unsafe c.pointee.gap = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_GAP
    case .exit(let value):
      unsafe c.pointee.exit = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_EXIT
    case .opened(let value):
      unsafe c.pointee.opened = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_OPENED
    case .ack(let value):
      unsafe c.pointee.ack = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_ACK
    case .effects(let value):
      unsafe c.pointee.effects = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_REQUEST__MESSAGE_EFFECTS
    case nil: break
    }
  }
}

/// First message on `Carry`.
package struct Opened: WireMessage {
  /// Bytes of stdin and of the request that arrived so far; the plane goes on there.
  package var received: [StreamOffset]

  package init(received: [StreamOffset] = []) {
    self.received = received
  }
}

extension Opened: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__opened__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__Opened.self)
    received = unsafe Copy.messages(c.n_received, c.received)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__Opened.self)
    unsafe (c.pointee.n_received, c.pointee.received) = try arena.messages(received)
  }
}

/// What the plane says on `Carry`.
package struct CarryResponse: WireMessage {
  package enum Message: Equatable, Sendable {
    /// Stdin, or the request.
    case chunk(Chunk)
    case closeStdin(CloseStdin)
    case signal(Signal)
    case resize(Resize)
    /// Output that need not be kept.
    case ack(Ack)
  }

  package var message: Message?

  package init(message: Message? = nil) {
    self.message = message
  }
}

extension CarryResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__carry_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__CarryResponse.self)
    switch unsafe c.message_case {
    case GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_CHUNK:
      message = unsafe Copy.message(c.chunk).map { .chunk($0) }
    case GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_CLOSE_STDIN:
      message = unsafe Copy.message(c.close_stdin).map { .closeStdin($0) }
    case GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_SIGNAL:
      message = unsafe Copy.message(c.signal).map { .signal($0) }
    case GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_RESIZE:
      message = unsafe Copy.message(c.resize).map { .resize($0) }
    case GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_ACK:
      message = unsafe Copy.message(c.ack).map { .ack($0) }
    default: message = nil
    }
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__CarryResponse.self)
    switch message {
    case .chunk(let value):
      unsafe c.pointee.chunk = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_CHUNK
    case .closeStdin(let value):
      unsafe c.pointee.close_stdin = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_CLOSE_STDIN
    case .signal(let value):
      unsafe c.pointee.signal = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_SIGNAL
    case .resize(let value):
      unsafe c.pointee.resize = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_RESIZE
    case .ack(let value):
      unsafe c.pointee.ack = try arena.message(value)
      unsafe c.pointee.message_case = GATEHOUSE__LINK__V1__CARRY_RESPONSE__MESSAGE_ACK
    case nil: break
    }
  }
}

/// Asks for a new certificate for the identity of the old one.
package struct RenewRequest: WireMessage {
  /// PKCS #10, DER; its subject and names are ignored.
  package var csrDer: [UInt8]

  package init(csrDer: [UInt8] = []) {
    self.csrDer = csrDer
  }
}

extension RenewRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__renew_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__RenewRequest.self)
    csrDer = unsafe Copy.blob(c.csr_der)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__RenewRequest.self)
    unsafe c.pointee.csr_der = arena.blob(csrDer)
  }
}

/// The renewed certificate.
package struct RenewResponse: WireMessage {
  /// Leaf first, then intermediates.
  package var certificatesDer: [[UInt8]]

  package init(certificatesDer: [[UInt8]] = []) {
    self.certificatesDer = certificatesDer
  }
}

extension RenewResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__renew_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__RenewResponse.self)
    certificatesDer = unsafe Copy.blobs(c.n_certificates_der, c.certificates_der)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__RenewResponse.self)
    unsafe (c.pointee.n_certificates_der, c.pointee.certificates_der) = arena.blobs(certificatesDer)
  }
}
