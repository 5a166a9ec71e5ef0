import Calls
import TestSupport
import Testing

/// The broker's shell, cut down to what the machines need.
struct PlaneSide: ~Copyable {
  var calls: [String: PlaneCall] = [:]
  var admission = NamedAdmission()
  var now = ContinuousClock.now
  var link: (wire: Wire, link: BrokerCall.Link)?
  var random: Seeded

  init(seed: UInt64) { random = Seeded(seed) }

  struct PlaneCall {
    var machine: BrokerCall
    var log = CallLog(window: 300)
    var stdin = StdinLog()
    var carry: Carry?
    var cursor = CallLog.Cursor()
    var ownerHas: UInt64 = 0
    var cost = 0
    var credit = 0
    var stdinCost = 0
    var stdinCredit = 0
    var end: (outcome: Outcome, reason: BrokerCall.Reason)?
    let deadline: ContinuousClock.Instant
    var records = Records()
    /// Waits for the daemon's leave to forget.
    var exitCarry: Carry?
    var wantsForget = false
    var isLetGo = false
    /// What its owner has written, and knows to be taken.
    var inputEnd: UInt64 = 0
    var inputTaken: UInt64 = 0
    /// What its owner sends again to the plane it comes back to.
    var unsentInput: Range<UInt64>?
    /// Its end is known from records alone, and its output is not all here.
    var isCut = false
  }

  mutating func submit(_ id: String) {
    var timing = BrokerCall.Timing()
    timing.stranded = .seconds(10)  // a few waits of the world's
    let deadline = now + .seconds(120)
    calls[id] = PlaneCall(
      machine: BrokerCall(deadline: deadline, timing: timing),
      deadline: deadline
    )
    calls[id]?.records.instance = link?.link.instance
    #expect(admission.submit(id, by: "p", to: "w") == .queued)
    offerNext()
  }

  mutating func handle(_ id: String, _ event: BrokerCall.Event, from carry: Carry? = nil) {
    let actions = calls[id]?.machine.handle(event) ?? []
    for action in actions { perform(action, id, carry) }
    if calls[id]?.machine.state != .offered { admission.claimed(id) }
    if Bool.random(using: &random) { keepEnd(id) }
    offerNext()
  }

  mutating func ticket() -> Ticket { Ticket(random: &random) }

  mutating func offerNext() {
    while let link, let id = admission.next() {
      // Durable before the offer leaves.
      calls[id]?.records.instance = link.link.instance
      handle(id, .admitted(link.link, ticket()))
    }
  }

  /// Its credit goes with it, and now and then what it brought and nobody took.
  private mutating func dropCarry(_ id: String) {
    calls[id]?.carry = nil
    calls[id]?.log.attachmentEnded(keeping: Int.random(in: 0...300, using: &random))
    let credit = calls[id]?.credit ?? 0
    calls[id]?.cost = credit
  }

  private mutating func perform(_ action: BrokerCall.Action, _ id: String, _ carry: Carry?) {
    switch action {
    case .offer(let ticket):
      link?.wire.toDaemon.send(.offer(id, ticket))
      if Bool.random(using: &random) { link?.wire.toDaemon.send(.offer(id, ticket)) }
      calls[id]?.stamp(now)
    case .resume(let ticket):
      guard let ends = calls[id]?.log.ends else { return }
      link?.wire.toDaemon.send(.resume(id, ticket, ends))
      calls[id]?.stamp(now)
    case .queue:
      admission.ended(id)
      #expect(admission.submit(id, by: "p", to: "w") == .queued)
    case .cancel: link?.wire.toDaemon.send(.cancel(id))
    case .forget where calls[id]?.end != nil && calls[id]?.isLetGo == false:
      calls[id]?.wantsForget = true
    case .forget: link?.wire.toDaemon.send(.forget(id))
    case .attach(let number):
      calls[id]?.records.isStarted = true
      carry?.attachment = number
      calls[id]?.carry = carry
    case .turnAway:
      carry?.up.abandon()
      carry?.down.finish()
    case .closeCarry(let number):
      guard let old = calls[id]?.carry, old.attachment == number else { return }
      old.up.abandon()
      old.down.finish()
      dropCarry(id)
    case .acknowledgeExit:
      let carry = calls[id]?.carry
      calls[id]?.exitCarry = carry
      calls[id]?.carry = nil
    case .end(let outcome, let reason):
      #expect(calls[id]?.end == nil)
      end(id, outcome, reason)
      if calls[id]?.exitCarry == nil { admission.ended(id) }
    }
  }
}

extension PlaneSide.PlaneCall {
  fileprivate mutating func stamp(_ now: ContinuousClock.Instant) {
    _ = machine.handle(.ticketSent(now))
  }
}

// What arrives.
extension PlaneSide {
  mutating func receive(from wire: Wire) {
    guard let message = wire.toPlane.receive() else {
      wire.toDaemon.finish()
      if link?.wire === wire { lost(wire) }
      return
    }
    switch message {
    case .hello(let instance, let known): hello(wire, instance, known)
    case .refused(let id): handle(id, .refused(wire.epoch))
    case .unclaimed(let id): handle(id, .unclaimed(wire.epoch, ticket()))
    }
  }

  private mutating func lost(_ wire: Wire) {
    link = nil
    admission.close("w")
    for id in calls.keys.sorted() { handle(id, .linkLost(wire.epoch, now)) }
  }

  private mutating func hello(_ wire: Wire, _ instance: InstanceID, _ known: [String]) {
    link = (wire, BrokerCall.Link(epoch: wire.epoch, instance: instance))
    admission.open("w", maxCalls: 2)
    guard let link else { return }
    for id in calls.keys.sorted() {
      handle(id, .linkUp(link.link, isKnown: known.contains(id), ticket()))
    }
    offerNext()
  }

  mutating func receive(from carry: Carry) {
    let id = carry.call
    guard let message = carry.up.receive() else {
      carry.down.finish()
      guard let number = carry.attachment else { return }
      if calls[id]?.carry === carry { dropCarry(id) }
      return handle(id, .carryClosed(attachment: number, ticket(), now))
    }
    if carry.attachment == nil {
      handle(id, .claim(carry.claim, now), from: carry)
      guard carry.attachment != nil else { return }
    }
    #expect(throws: Never.self) { try take(message, carry) }
    pump(id)
  }

  private mutating func take(_ message: Carry.Up, _ carry: Carry) throws {
    let id = carry.call
    switch message {
    case .opened(let received): try calls[id]?.stdin.rewind(to: received)
    case .chunk(let message):
      let chunk = try Chunk(message: message, direction: .fromTool)
      try calls[id]?.log.append(message, chunk, cost: message.count)
      calls[id]?.cost += message.count
      try takeKnown(id)
    case .gap(let gap):
      try calls[id]?.log.append(gap, cost: 1)
      calls[id]?.cost += 1
      try takeKnown(id)
    case .stdinTaken(let offset):
      let credit = try calls[id]?.stdin.acknowledge(before: offset) ?? 0
      calls[id]?.stdinCredit += credit
    case .exit(let outcome):
      guard let number = carry.attachment else { return }
      handle(id, .exit(attachment: number, outcome))
    }
  }

  /// What its owner has from an earlier plane is taken as it comes again.
  private mutating func takeKnown(_ id: String) throws {
    guard var call = calls[id] else { return }
    var known = Positions()
    known[.stdout] = min(call.ownerHas, call.log.ends[.stdout])
    call.credit += try call.log.take(before: known)
    calls[id] = call
  }

  /// Sends the tool what its owner wrote.
  mutating func pump(_ id: String) {
    guard let carry = calls[id]?.carry else { return }
    while let next = calls[id]?.stdin.next() {
      switch next {
      case .message(let message): carry.down.send(.chunk(message))
      case .close(let offset): carry.down.send(.closeStdin(offset))
      }
    }
  }
}

// The owner.
extension PlaneSide {
  mutating func write(_ id: String, count: Int) throws {
    // An owner that was not back yet does not go on.
    guard let call = calls[id], call.unsentInput == nil, call.inputEnd < 2000 else { return }
    calls[id]?.inputEnd += UInt64(count)
    try send(id, from: call.inputEnd, count: count)
  }

  mutating func send(_ id: String, from offset: UInt64, count: Int) throws {
    let data = bytes(id, .stdin, from: offset, count: count)
    let message = Chunk.message(stream: .stdin, offset: offset, data: data[...])
    _ = try calls[id]?.stdin.append(
      message,
      Chunk(message: message, direction: .toTool),
      cost: message.count
    )
    calls[id]?.stdinCost += message.count
    pump(id)
  }

  /// Takes one message and checks each of its bytes.
  mutating func read(_ id: String) {
    guard var call = calls[id], let item = call.log.read(&call.cursor) else { return }
    guard case .message(let message, let chunk) = item else {
      if !call.isCut { Issue.record("an owner got a gap") }
      return
    }
    #expect(chunk.offset == call.ownerHas)
    #expect(
      Array(message[chunk.data])
        == bytes(id, .stdout, from: chunk.offset, count: chunk.data.count)
    )
    call.ownerHas = chunk.end
    call.credit += call.log.take(passedBy: call.cursor)
    if let positions = call.log.acknowledgement(every: 1) {
      call.carry?.down.send(.acknowledged(positions))
    }
    calls[id] = call
    letGo(id)
  }
}
