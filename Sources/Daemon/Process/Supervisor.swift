internal import EventLoop
internal import Sandbox

/// The process that starts one command, holds its pipes, and is the ancestor of all it starts.
///
/// It has one thread and no event loop; it only waits for its children and its daemon. Output does
/// not pass through it: the daemon reads the pipes.
package final class Supervisor {
  /// The descriptors that `SupervisorLink.launch` leaves open, beside the null device as streams.
  enum Passed {
    static let control: Int32 = 3
    static let listener: Int32 = 4
    static let plan: Int32 = 5
    static let directory: Int32 = 6
    static let folder: Int32 = 7
  }

  private let plan: SupervisorPlan
  private let listener: Descriptor
  private let folder: StateFolder
  private let children: Children
  private var daemon: ControlSocket?
  private var state: SupervisorState
  private var command: RunningCommand?
  private var record: ExitRecord?
  private var isOver = false

  /// Runs in a process that `SupervisorLink.launch` started, to its end.
  ///
  /// - Throws: when the process was not started that way.
  package static func run() throws {
    try ThisProcess.makeUndumpable()
    try ThisProcess.adoptOrphans()
    try Supervisor().run()
  }

  private init() throws {
    for number in Passed.control...Passed.folder { Descriptor.closeOnExec(number) }
    let plan = Descriptor(owning: Passed.plan)
    let daemon = ControlSocket(owning: Descriptor(owning: Passed.control))
    do {
      self.plan = try SupervisorPlan(decoding: plan.readAll(maxBytes: SupervisorPlan.maxBytes))
    } catch let other as SupervisorProtocol.OtherVersion {
      try? daemon.send(SupervisorReport.otherVersion.encoded)
      throw other
    }
    self.daemon = daemon
    listener = Descriptor(owning: Passed.listener)
    folder = StateFolder(owning: Descriptor(owning: Passed.folder), path: "call")
    children = try Children()
    state = SupervisorState(startedAt: .now)
  }

  private func run() throws {
    do {
      let directory = SharedDescriptor(Descriptor(owning: Passed.directory))
      command = try RunningCommand(plan, in: directory)
      reportStart()
    } catch let failure as SpawnFailure {
      perform(state.failed(failure))
    } catch {
      perform(state.failed(SpawnFailure(code: "unavailable", message: "\(error)")))
    }
    do {
      while !isOver { try turn() }
    } catch {
      killAll()
      throw error
    }
  }

  /// What nobody watches must not live on. The call is `lost` then, since nobody saw its end.
  private func killAll() {
    // To look for processes takes one descriptor, and they may be what there is none of.
    _ = Descriptor(owning: 0)
    while case let processes = ProcessTree.now().descendants(of: ThisProcess.id), !processes.isEmpty
    {
      for process in processes { Signals.send(Signals.kill, to: process) }
      guard children.waitForOne() else { return }
    }
  }

  private func turn() throws {
    // A connection counts only while there is no daemon, so that nobody can push it out.
    let ready = try Readable.wait(
      [
        children.descriptor.number, daemon?.descriptor.number ?? -1,
        daemon == nil ? listener.number : -1,
      ],
      until: state.deadline
    )
    if ready[0] { reapChildren() }
    if ready[1] { obeyDaemon() }
    if ready[2] { acceptDaemon() }
    perform(state.advance(now: .now))
  }

  private func reapChildren() {
    children.clear()
    while true {
      switch children.next() {
      case .ended(let process, let status):
        if process == command?.process { state.mainEnded(status) }
      case .allRunning: return perform(state.childrenEnded(isEmpty: false, now: .now))
      case .none: return perform(state.childrenEnded(isEmpty: true, now: .now))
      }
    }
  }

  private func obeyDaemon() {
    guard let daemon, let received = try? daemon.receive(), !received.message.isEmpty,
      let order = try? SupervisorOrder(decoding: received.message)
    else { return loseDaemon() }
    switch order {
    case .adopt: loseDaemon()
    case .signal(let number): command?.signal(number)
    case .resize(let size): command?.resize(size)
    case .closeInput: command?.closeInput()
    case .end(let cause): perform(state.end(cause, now: .now))
    case .release: perform(state.released())
    }
  }

  private func loseDaemon() {
    daemon = nil
    state.daemonLeft(now: .now)
  }

  /// A new daemon shows its key at once, or is none.
  private func acceptDaemon() {
    guard let peer = try? ControlSocket.accept(on: listener),
      let ready = try? Readable.wait([peer.descriptor.number], until: .now + .milliseconds(200)),
      ready == [true], let received = try? peer.receive()
    else { return }
    do {
      guard try SupervisorOrder(decoding: received.message) == .adopt(key: plan.key) else { return }
    } catch is SupervisorProtocol.OtherVersion {
      try? peer.send(SupervisorReport.otherVersion.encoded)
      return
    } catch {
      return
    }
    daemon = peer
    state.daemonCame()
    reportStart()
    if let record { report(.ended(record)) }
  }

  private func reportStart() {
    guard let command else { return }
    report(command.report, passing: command.descriptors.map(\.number))
  }

  private func report(_ report: SupervisorReport, passing descriptors: [Int32] = []) {
    // A daemon that is gone is noticed by the next turn.
    try? daemon?.send(report.encoded, passing: descriptors)
  }

  private func perform(_ actions: [SupervisorState.Action]) {
    for action in actions {
      switch action {
      case .terminateTree: signalTree(terminating)
      case .killTree: signalTree([Signals.kill])
      case .finish(let record): finish(record)
      case .exit: leave()
      }
    }
  }

  /// A shell at a terminal ignores SIGTERM and ends at SIGHUP; what is stopped would see neither.
  private var terminating: [Int32] {
    plan.terminal == nil
      ? [Signals.terminate, Signals.resume]
      : [Signals.terminate, Signals.hangUp, Signals.resume]
  }

  private func signalTree(_ signals: [Int32]) {
    for process in ProcessTree.now().descendants(of: ThisProcess.id) {
      for signal in signals { Signals.send(signal, to: process) }
    }
  }

  /// Without a daemon, what is still in the pipes would go too: it is kept for the next one. What the disk
  /// has no room for is counted.
  private func leave() {
    isOver = true
    guard daemon == nil, var record, let command else { return }
    record.unread = command.keepRest(in: folder)
    guard (try? folder.write(ExitRecord.fileName, record.encoded)) == nil,
      record.unread.contains(where: { $0 > 0 })
    else { return }
    // The file that is there says that nothing was left. To remove one takes no room.
    folder.remove(ExitRecord.fileName)
  }

  private func finish(_ record: ExitRecord) {
    self.record = record
    // Without a file the next daemon calls it lost, which is then the truth.
    try? folder.write(ExitRecord.fileName, record.encoded)
    report(.ended(record))
  }
}
