internal import Calls
internal import DaemonWire
internal import Sandbox

/// What a `process.*` tool was asked to run, checked, whichever tool it was.
struct CommandRequest: Equatable {
  var arguments: [[UInt8]]
  /// Relative to the root; empty: the root.
  var directory: [UInt8]
  var environment: [EnvironmentVariable]
  var isInteractive: Bool
  var terminal: TerminalSize?
  var terminalType = ""
  var hasInput: Bool
  var output: OutputRule

  static let tools = ["process.exec", "process.shell"]

  /// Linux takes no single argument beyond 128 KiB.
  private static let maxScriptBytes = 128 * 1_024 - 1

  /// - Throws: `invalid_argument` or `too_large`, with the field.
  init(tool: String, request: [UInt8]) throws(ToolError) {
    do {
      switch tool {
      case "process.exec": try self.init(ExecRequest(decoding: request))
      default: try self.init(ShellRequest(decoding: request))
      }
    } catch let error as ToolError {
      throw error
    } catch {
      throw ToolError(code: "invalid_argument", message: "the request cannot be read: \(error)")
    }
  }

  init(_ request: ExecRequest) throws(ToolError) {
    guard let program = request.argv.first, !program.isEmpty else {
      throw ToolError(code: "invalid_argument", message: "argv is empty; name a program")
    }
    arguments = request.argv
    directory = request.cwd
    environment = request.environment
    terminal = try request.terminal.map(Self.size)
    terminalType = request.terminal?.term ?? ""
    isInteractive = true
    hasInput = request.stdin
    output = request.output ?? OutputRule()
    try check()
  }

  init(_ request: ShellRequest) throws(ToolError) {
    guard request.script.utf8.count <= Self.maxScriptBytes else {
      throw ToolError(
        code: "too_large",
        message: "the script has more than 128 KiB; write it to a file and run that"
      )
    }
    let shell = try Self.shell(request.shell)
    arguments = shell + [Array("-c".utf8), Array(request.script.utf8)]
    directory = request.cwd
    environment = request.environment
    isInteractive = false
    hasInput = false
    output = request.output ?? OutputRule()
    try check()
  }

  private static func shell(_ name: String) throws(ToolError) -> [[UInt8]] {
    switch name {
    // Bash where there is one: asked of sh, since PATH is the command's.
    case "":
      [
        "/bin/sh", "-c",
        "command -v bash >/dev/null 2>&1 && exec bash \"$@\"; exec sh \"$@\"", "sh",
      ].map { Array($0.utf8) }
    case "bash", "sh": [Array(name.utf8)]
    default:
      throw ToolError(
        code: "invalid_argument",
        message: "there is no shell '\(name)'; use bash or sh"
      )
    }
  }

  private static func size(_ terminal: DaemonWire.Terminal) throws(ToolError) -> TerminalSize {
    guard let columns = UInt16(exactly: terminal.columns), let rows = UInt16(exactly: terminal.rows)
    else {
      throw ToolError(
        code: "invalid_argument",
        message: "a terminal has at most 65,535 columns and rows"
      )
    }
    return TerminalSize(columns: columns == 0 ? 80 : columns, rows: rows == 0 ? 24 : rows)
  }

  private func check() throws(ToolError) {
    guard !arguments.contains(where: { $0.contains(0) }), !directory.contains(0) else {
      throw ToolError(code: "invalid_argument", message: "argv and cwd hold no NUL; remove it")
    }
    for variable in environment where !CommandEnvironment.isName(variable.name) {
      throw ToolError(
        code: "invalid_argument",
        message: "'\(variable.name)' cannot name a variable"
      )
    }
    try checkOutput()
  }

  /// The command's whole environment: what the daemon allows, then what was asked for.
  func environment(from base: CommandEnvironment) -> [[UInt8]] {
    var result = base
    if !isInteractive { result.makeNonInteractive() }
    if terminal != nil {
      result.set("TERM", to: terminalType.isEmpty ? "xterm-256color" : terminalType)
    }
    for variable in environment { result.set(variable.name, to: variable.value) }
    return result.entries
  }

  private func checkOutput() throws(ToolError) {
    if case .unrecognized(let number) = output.whenFull {
      throw ToolError(
        code: "unsupported",
        message: "this daemon knows no output rule \(number); use BLOCK, DROP_OLDEST or SPILL"
      )
    }
    guard output.spillBytes <= UInt64(Self.mostSpilled) else {
      throw ToolError(code: "invalid_argument", message: "spill_bytes is at most 1 GiB")
    }
  }

  var whenFull: OutputRing.WhenFull { output.whenFull == .dropOldest ? .dropOldest : .block }

  /// Bytes of each output beyond its ring.
  var spillBytes: Int {
    guard output.whenFull == .spill else { return 0 }
    return output.spillBytes == 0 ? Self.usuallySpilled : Int(output.spillBytes)
  }

  private static let usuallySpilled = 64 << 20
  private static let mostSpilled = 1 << 30

  /// The streams it writes to.
  var streams: [CallStream] { terminal == nil ? [.stdout, .stderr] : [.pty] }
}
