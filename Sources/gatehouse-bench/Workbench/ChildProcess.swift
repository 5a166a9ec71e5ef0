internal import EventLoop
internal import FoundationEssentials
internal import Sandbox

/// A child process. It dies with the thread that started it.
///
/// Its standard input is a pipe that nothing is written to; its output and error come back by
/// another.
struct ChildProcess: Sendable {
  let id: Int32
  private let command: String
  private let input: Pipe
  private let output: SharedDescriptor

  /// Starts `arguments[0]`, an absolute path. `environment` is added to ours. Not for a thread that
  /// ends early.
  static func start(
    _ arguments: [String],
    environment: [String: String],
    in folder: String
  ) throws -> ChildProcess {
    let (input, output) = (try Pipe(), try Pipe())
    let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let command = ConfinedCommand(
      arguments: arguments.map { Array($0.utf8) },
      environment: all.map { Array("\($0.key)=\($0.value)".utf8) },
      descriptorLimit: DescriptorLimit.current.soft
    )
    let streams = ConfinedCommand.Streams(
      input: input.reading.number,
      output: output.writing.number,
      error: output.writing.number
    )
    let place = SharedDescriptor(try Descriptor.openFolder(folder))
    do {
      let id = try command.start(streams, terminal: false, in: place, view: nil)
      return ChildProcess(
        id: id,
        command: arguments.joined(separator: " "),
        input: input,
        output: output.reading
      )
    } catch {
      throw BenchError(error.message)
    }
  }

  /// The first line of its output, without the line's end; blocks.
  func line(within limit: Duration) throws -> String {
    let text = try read(within: limit) { $0.contains(UInt8(ascii: "\n")) }
    return String(text.prefix { !$0.isNewline })
  }

  /// Blocks until `text` is in its output, which is gone then.
  func wait(for text: String, within limit: Duration) throws {
    let said = try read(within: limit) { String(decoding: $0, as: UTF8.self).contains(text) }
    guard said.contains(text) else { throw BenchError("'\(command)' said: \(said)") }
  }

  /// Its whole output; blocks until it ends.
  func everything(within limit: Duration) throws -> String {
    try read(within: limit) { _ in false }
  }

  private func read(
    within limit: Duration,
    until isEnough: ([UInt8]) -> Bool
  ) throws -> String {
    let deadline = ContinuousClock.now + limit
    var text: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4_096)
    while !isEnough(text) {
      guard try Readable.wait([output.number], until: deadline) == [true] else {
        guard ContinuousClock.now < deadline else { throw BenchError("no end of: \(command)") }
        continue
      }
      guard case .bytes(let count) = try output.descriptor.read(into: &piece) else { break }
      text += piece[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Ends it and all below it, and waits until it is gone.
  func end() {
    let below = ProcessTree.now().descendants(of: id)
    for process in [id] + below { Signals.send(Signals.kill, to: process) }
    Program.reap(id)
  }

  /// User and system time so far, of all its threads and of all processes below it.
  func cpuTime() throws -> Duration {
    try ([id] + ProcessTree.now().descendants(of: id))
      .map { try CPUTime.of($0) }
      .reduce(.zero, +)
  }
}
