package import EventLoop
package import Sandbox

/// A daemon's connection to the supervisor of one command.
package final class SupervisorLink: Sendable {
  package let socket: ControlSocket
  /// The supervisor's process id, if it is a child of this process: then `Program.reap` it.
  package let child: Int32?

  private init(_ socket: ControlSocket, child: Int32?) {
    self.socket = socket
    self.child = child
  }

  /// The name of the supervisor's socket in the call's folder.
  private static let socketName = "supervisor"

  /// Starts a supervisor, which starts the command in `directory`. May take milliseconds.
  ///
  /// `program` is the path of `gatehouse-toold`. The exit record will be in `folder`, which is the
  /// call's own.
  package static func launch(
    _ plan: SupervisorPlan,
    program: String,
    in directory: borrowing Descriptor,
    folder: borrowing StateFolder
  ) throws(SystemError) -> SupervisorLink {
    let pair = try ControlSocket.Pair()
    folder.remove(socketName)
    let listener = try ControlSocket.listening(in: folder, named: socketName)
    let file = try Descriptor.memoryFile("supervisor plan", holding: plan.encoded)
    let child = try Program.start(
      program,
      ["gatehouse-toold", "supervise"],
      passing: [
        pair.theirs.descriptor.number, listener.number, file.number, directory.number,
        folder.number,
      ]
    )
    return SupervisorLink(pair.ours, child: child)
  }

  /// Takes over a supervisor that an earlier daemon started; `process` is its process id, or 0.
  ///
  /// - Throws: when there is none any more; the exit record then says how the command ended.
  package static func adopt(
    key: [UInt8],
    folder: borrowing StateFolder,
    process: Int32 = 0
  ) throws(SystemError) -> SupervisorLink {
    let child = Program.isRunningChild(process) ? process : nil
    let socket = try ControlSocket.connecting(in: folder, named: socketName)
    try socket.send(SupervisorOrder.adopt(key: key).encoded)
    return SupervisorLink(socket, child: child)
  }

  /// Tells the supervisor something. One that is gone says so through `receive`.
  ///
  /// - Returns: false when it was not told, because it has not read what it was told before.
  @discardableResult package func send(_ order: SupervisorOrder) -> Bool {
    do {
      try socket.send(order.encoded)
    } catch {
      return !error.isWouldBlock
    }
    return true
  }

  package enum Event: Sendable {
    case started(CommandStreams)
    case ended(ExitRecord)
    /// The supervisor is gone.
    case gone
    /// It is there, of another version of this program, and nothing it says is understood.
    case otherVersion(UInt8)
  }

  /// The next event. Waits for it, unless the socket's descriptor is non-blocking.
  ///
  /// - Returns: `nil` when it is, and there is none.
  package func receive() -> Event? {
    do {
      let received = try socket.receive()
      guard !received.message.isEmpty else { return .gone }
      switch try SupervisorReport(decoding: received.message) {
      case .started(let process, let hasInput, let isTerminal):
        return CommandStreams(process, hasInput, isTerminal, received.descriptors)
          .map(Event.started) ?? .gone
      case .ended(let record): return .ended(record)
      case .otherVersion: return .gone
      }
    } catch let other as SupervisorProtocol.OtherVersion {
      return .otherVersion(other.version)
    } catch let error as SystemError where error.isWouldBlock {
      return nil
    } catch {
      return .gone
    }
  }
}

/// A daemon's ends of a running command's pipes.
package struct CommandStreams: Sendable {
  package let process: Int32
  /// To write to; without it stdin is the null device, or closed.
  package private(set) var input: SharedDescriptor?
  package let outputs: Outputs

  /// Lets the input go. It closes when the supervisor hears `closeInput` as well.
  package mutating func closeInput() { input = nil }

  package enum Outputs: Sendable {
    case apart(output: SharedDescriptor, error: SharedDescriptor)
    /// Input is written to it as well.
    case terminal(SharedDescriptor, through: Pipe)
  }

  init?(
    _ process: Int32,
    _ hasInput: Bool,
    _ isTerminal: Bool,
    _ descriptors: [SharedDescriptor]
  ) {
    guard descriptors.count == (isTerminal ? 3 : hasInput ? 3 : 2) else { return nil }
    self.process = process
    var rest = descriptors[...]
    if isTerminal {
      outputs = .terminal(rest[0], through: Pipe(reading: rest[1], writing: rest[2]))
      input = rest[0]
    } else {
      input = hasInput ? rest.removeFirst() : nil
      outputs = .apart(output: rest[rest.startIndex], error: rest[rest.startIndex + 1])
    }
  }
}
