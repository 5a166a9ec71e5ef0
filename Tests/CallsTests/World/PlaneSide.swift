import Calls
import Testing

/// The broker's shell, cut down to what the machines need.
struct PlaneSide {
  var calls: [String: PlaneCall] = [:]
  var admission = Admission()
  var now = ContinuousClock.now
  private var link: (wire: Wire, link: BrokerCall.Link)?
  private var random: Seeded

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
  }

  mutating func submit(_ id: String) {
    var timing = BrokerCall.Timing()
    timing.stranded = .seconds(10)  // a few waits of the world's
    calls[id] = PlaneCall(machine: BrokerCall(deadline: now + .seconds(120), timing: timing))
    #expect(admission.submit(id, by: "p", to: "w") == .queued)
    offerNext()
  }

  mutating func handle(_ id: String, _ event: BrokerCall.Event, from carry: Carry? = nil) {
    let actions = calls[id]?.machine.handle(event) ?? []
    for action in actions { perform(action, id, carry) }
    if calls[id]?.machine.state != .offered { admission.claimed(id) }
    offerNext()
  }

  mutating func ticket() -> Ticket { Ticket(random: &random) }

  private mutating func offerNext() {
    while let link, let id = admission.next() { handle(id, .admitted(link.link, ticket())) }
  }

  /// Its credit goes with it.
  private mutating func dropCarry(_ id: String) {
    calls[id]?.carry = nil
    calls[id]?.log.attachmentEnded()
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
    case .cancel: link?.wire.toDaemon.send(.cancel(id))
    case .forget: link?.wire.toDaemon.send(.forget(id))
    case .attach(let number):
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
      calls[id]?.carry?.down.send(.done)
      calls[id]?.carry?.up.abandon()
      calls[id]?.carry?.down.finish()
      calls[id]?.carry = nil
    case .end(let outcome, let reason):
      #expect(calls[id]?.end == nil)
      calls[id]?.end = (outcome, reason)
      admission.ended(id)
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
    case .stdinTaken(let offset):
      let credit = try calls[id]?.stdin.acknowledge(before: offset) ?? 0
      calls[id]?.stdinCredit += credit
    case .exit(let outcome):
      guard let number = carry.attachment else { return }
      handle(id, .exit(attachment: number, outcome))
    }
  }

  /// Sends the tool what its owner wrote.
  private mutating func pump(_ id: String) {
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
    guard let end = calls[id]?.stdin.end, end < 2000 else { return }
    let data = bytes(id, .stdin, from: end, count: count)
    let message = Chunk.message(stream: .stdin, offset: end, data: data[...])
    try calls[id]?.stdin.append(
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
      Issue.record("an owner got a gap")
      return
    }
    #expect(chunk.offset == call.ownerHas)
    #expect(
      Array(message[chunk.data])
        == bytes(id, .stdout, from: chunk.offset, count: chunk.data.count)
    )
    call.ownerHas = chunk.end
    call.credit += call.log.take(entries: call.cursor.entries)
    if let positions = call.log.acknowledgement(every: 1) {
      call.carry?.down.send(.acknowledged(positions))
    }
    calls[id] = call
  }
}
