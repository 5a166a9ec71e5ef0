internal import Client
internal import Synchronization
internal import SwiftProtobuf
internal import Wire

/// A command that prints lines, in whose middle something happens; each line has to come once.
struct CountedLines: Sendable {
  private static let lines = 12
  private static let middle = 5

  let client: PlaneClient
  let screen: DemoScreen
  /// Another connection, when the one there is was cut; nil: none is needed.
  var reconnect: (@Sendable () async throws -> PlaneClient)?

  /// - Parameter mishap: happens beside the command, and is over when this is.
  /// - Returns: whether every line came, once, in order.
  /// - Throws: `ClientError`; what `mishap` throws.
  func run(_ mishap: @escaping @Sendable () async throws -> Void) async throws -> Bool {
    let script =
      "i=1; while [ $i -le \(Self.lines) ]; do echo line $i; i=$((i+1)); sleep 0.15; done"
    screen.command("for i in 1 … \(Self.lines); do echo line $i; sleep 0.15; done")
    let middle = AsyncStream<Void>.makeStream()
    let counter = LineCounter { [screen] number, line in
      screen.line("   \(screen.style.dim("│")) \(line)")
      if number == Self.middle { middle.continuation.yield() }
    }
    var options = Execution.Options()
    options.write = { _, bytes in counter.take(bytes) }
    options.talk = { [screen] in screen.line("   " + screen.style.yellow("… \(Plain.text($0))")) }
    options.reconnect = reconnect
    var start = Gatehouse_Tools_V1_InvokeStart()
    start.workspace = DemoStage.workspace
    start.tool = "process.shell"
    start.request = try Gatehouse_Tools_V1_ShellRequest.with { $0.script = script }
      .serializedBytes()
    start.acknowledges = true
    let execution = Execution(client, start, options)
    async let disturbance: Void = {
      for await _ in middle.stream { try await mishap() }
    }()
    let exit = try await execution.run()
    middle.continuation.finish()
    try await disturbance
    let expected = (1...Self.lines).map { "line \($0)" }
    guard counter.all == expected, exit.outcome == .exited, exit.code == 0 else {
      screen.bad("\(counter.all.count) of \(Self.lines) lines came: \(ExitStatus(exit).message)")
      return false
    }
    screen.good("\(Self.lines) of \(Self.lines) lines, none lost, none twice; its digest agrees")
    return true
  }
}

/// Makes lines of bytes as they come.
private final class LineCounter: Sendable {
  private let state = Mutex((partial: [UInt8](), lines: [String]()))
  private let show: @Sendable (Int, String) -> Void

  init(_ show: @escaping @Sendable (Int, String) -> Void) { self.show = show }

  var all: [String] { state.withLock { $0.lines } }

  func take(_ bytes: [UInt8]) {
    for byte in bytes {
      let line = state.withLock { state -> (Int, String)? in
        guard byte == UInt8(ascii: "\n") else {
          state.partial.append(byte)
          return nil
        }
        state.lines.append(String(decoding: state.partial, as: UTF8.self))
        state.partial = []
        return (state.lines.count, state.lines[state.lines.count - 1])
      }
      if let line { show(line.0, line.1) }
    }
  }
}
