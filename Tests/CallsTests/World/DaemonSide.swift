import Calls
import TestSupport
import Testing

/// The daemon's shell, cut down to what the machines need, and the tools it runs.
struct DaemonSide {
  var tools: [String: Tool] = [:]
  /// How often each call was started, in all runs of the program.
  var starts: [String: Int] = [:]
  private(set) var wire: Wire?
  private var machines = DaemonCalls(maxCalls: 10)
  private var instance: InstanceID
  private var carries: [String: Carry] = [:]
  private var random: Seeded

  init(seed: UInt64) {
    random = Seeded(seed)
    instance = InstanceID(random: &random)
  }

  struct Tool {
    var ring = OutputRing(stream: .stdout, capacity: 65536)
    var stdinReceived: UInt64 = 0
    var isRunning = true
    var outcome: Outcome?
  }

  mutating func connect(_ wire: Wire) {
    self.wire = wire
    wire.toPlane.send(.hello(instance, known: machines.inventory.map(\.id)))
    for id in machines.unattached.sorted() { wire.toPlane.send(.unclaimed(id)) }
  }

  /// The program dies and starts again; its supervisors keep what runs, if it has its journal.
  mutating func restart(keepsJournal: Bool) {
    wire?.abandonByDaemon(&random)
    for carry in carries.values {
      carry.down.abandon()
      carry.up.cut(&random)
    }
    carries = [:]
    wire = nil
    instance = InstanceID(random: &random)
    let old = machines
    machines = DaemonCalls(maxCalls: 10)
    guard keepsJournal else {
      for id in tools.keys { tools[id]?.isRunning = false }
      return
    }
    for known in old.inventory {
      machines.adopt(known.id, outcome: known.isEnded ? tools[known.id]?.outcome : nil)
    }
  }

  private mutating func handle(_ id: String, _ event: DaemonCall.Event) {
    for action in machines.handle(id, event) { perform(action, id) }
  }

  private mutating func perform(_ action: DaemonCall.Action, _ id: String) {
    switch action {
    case .start:
      starts[id, default: 0] += 1
      tools[id] = Tool()
    case .openCarry(let ticket, let number): open(id, ticket, number)
    case .closeCarry(let number):
      guard let carry = carries[id], carry.number == number else { return }
      close(carry)
    case .kill: end(id, .signalled)
    case .sendExit: pump(id)
    case .reportUnclaimed: wire?.toPlane.send(.unclaimed(id))
    case .drop: tools[id]?.isRunning = false
    case .refuse: wire?.toPlane.send(.refused(id))
    }
  }

  private mutating func open(_ id: String, _ ticket: Ticket, _ number: Int) {
    guard let wire else { return handle(id, .carryClosed(attachment: number)) }
    let claim = BrokerCall.Claim(ticket: ticket, epoch: wire.epoch)
    let carry = Carry(call: id, claim: claim, number: number)
    carry.sent = tools[id]?.ring.start ?? 0
    wire.carries.append(carry)
    carries[id] = carry
    let received = tools[id]?.stdinReceived ?? 0
    carry.up.send(.opened(stdin: received))
    if received > 0 { carry.up.send(.stdinTaken(received)) }
  }

  private mutating func close(_ carry: Carry) {
    carry.up.finish()
    carry.down.abandon()
    if carries[carry.call] === carry { carries[carry.call] = nil }
  }
}

// What arrives.
extension DaemonSide {
  mutating func receive(from wire: Wire) {
    guard let message = wire.toDaemon.receive() else {
      wire.toPlane.finish()
      if self.wire === wire { self.wire = nil }
      return
    }
    guard self.wire === wire else { return }
    switch message {
    case .offer(let id, let ticket):
      for action in machines.offer(id, ticket, isWhole: true) { perform(action, id) }
      pump(id)
    case .resume(let id, let ticket, let positions):
      let before = machines[id]?.attachment
      handle(id, .granted(ticket))
      // A repeated resume opens nothing, so its positions are old.
      if machines[id]?.attachment != before { carries[id]?.sent = positions[.stdout] }
      pump(id)
    case .cancel(let id): handle(id, .cancel)
    case .forget(let id): handle(id, .forget)
    }
  }

  mutating func receive(from carry: Carry) {
    let id = carry.call
    guard let message = carry.down.receive() else {
      carry.up.finish()
      if carries[id] === carry { carries[id] = nil }
      return handle(id, .carryClosed(attachment: carry.number))
    }
    guard carries[id] === carry else { return }
    switch message {
    case .chunk(let message): takeStdin(message, carry)
    case .closeStdin(let offset): #expect(tools[id]?.stdinReceived == offset)
    case .acknowledged(let positions):
      #expect(throws: Never.self) {
        try tools[id]?.ring.acknowledge(before: positions[.stdout])
      }
    case .done:
      close(carry)
      handle(id, .exitAcknowledged(attachment: carry.number))
    }
  }

  private mutating func takeStdin(_ message: [UInt8], _ carry: Carry) {
    let id = carry.call
    guard let chunk = try? Chunk(message: message, direction: .toTool) else {
      Issue.record("a relayed chunk is broken")
      return
    }
    #expect(chunk.offset == tools[id]?.stdinReceived)
    #expect(
      Array(message[chunk.data]) == bytes(id, .stdin, from: chunk.offset, count: chunk.data.count)
    )
    tools[id]?.stdinReceived = chunk.end
    carry.up.send(.stdinTaken(chunk.end))
  }
}

// The tools.
extension DaemonSide {
  var running: [String] { tools.filter(\.value.isRunning).map(\.key).sorted() }

  mutating func produce(_ id: String, count: Int) {
    guard let tool = tools[id], tool.isRunning, tool.ring.room >= count else { return }
    tools[id]?.ring.append(count)
    pump(id)
  }

  mutating func end(_ id: String, _ outcome: Outcome) {
    guard tools[id]?.isRunning == true else { return }
    tools[id]?.isRunning = false
    tools[id]?.outcome = outcome
    handle(id, .toolEnded(outcome))
    if case .ended(let recorded) = machines[id]?.state { tools[id]?.outcome = recorded }
  }

  private mutating func pump(_ id: String) {
    guard let carry = carries[id], let tool = tools[id] else { return }
    while let item = tool.ring.read(from: carry.sent, limit: 40) {
      switch item {
      case .bytes(let range):
        let data = bytes(id, .stdout, from: range.lowerBound, count: range.count)
        let message = Chunk.message(stream: .stdout, offset: range.lowerBound, data: data[...])
        carry.up.send(.chunk(message))
        carry.sent = range.upperBound
      case .gap(let gap):
        carry.up.send(.gap(gap))
        carry.sent = gap.end
      }
    }
    guard case .ended(let outcome) = machines[id]?.state, !carry.isExitSent else { return }
    carry.isExitSent = true
    carry.up.send(.exit(outcome))
  }
}
