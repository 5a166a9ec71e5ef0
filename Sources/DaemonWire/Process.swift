internal import WireC

/// One variable of a command's environment.
package struct EnvironmentVariable: WireMessage {
  package var name: String
  package var value: String

  package init(name: String = "", value: String = "") {
    self.name = name
    self.value = value
  }
}

extension EnvironmentVariable: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__environment_variable__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__EnvironmentVariable.self)
    name = unsafe Copy.text(c.name)
    value = unsafe Copy.text(c.value)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__EnvironmentVariable.self)
    unsafe c.pointee.name = try arena.text(name)
    unsafe c.pointee.value = try arena.text(value)
  }
}

/// A terminal for the command: one stream, PTY, instead of stdout and stderr.
package struct Terminal: WireMessage {
  /// 0: 80.
  package var columns: UInt32
  /// 0: 24.
  package var rows: UInt32
  /// TERM; empty: xterm-256color.
  package var term: String

  package init(columns: UInt32 = 0, rows: UInt32 = 0, term: String = "") {
    self.columns = columns
    self.rows = rows
    self.term = term
  }
}

extension Terminal: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__terminal__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Terminal.self)
    columns = unsafe c.columns
    rows = unsafe c.rows
    term = unsafe Copy.text(c.term)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Terminal.self)
    unsafe c.pointee.columns = columns
    unsafe c.pointee.rows = rows
    unsafe c.pointee.term = try arena.text(term)
  }
}

/// Tool `process.exec`: runs a program. No shell is involved.
package struct ExecRequest: WireMessage {
  /// Program and arguments, at least one. Bytes, since a file name need not be
  /// UTF-8; no NUL. A program without '/' is looked for in PATH.
  package var argv: [[UInt8]]
  /// Working directory, relative to the workspace's root; empty: the root.
  package var cwd: [UInt8]
  /// Added to the environment that the daemon builds from its allow-list.
  package var environment: [EnvironmentVariable]
  package var terminal: Terminal?
  /// False: stdin is /dev/null.
  package var stdin: Bool
  package var output: OutputRule?

  package init(
    argv: [[UInt8]] = [],
    cwd: [UInt8] = [],
    environment: [EnvironmentVariable] = [],
    terminal: Terminal? = nil,
    stdin: Bool = false,
    output: OutputRule? = nil
  ) {
    self.argv = argv
    self.cwd = cwd
    self.environment = environment
    self.terminal = terminal
    self.stdin = stdin
    self.output = output
  }
}

extension ExecRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__exec_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__ExecRequest.self)
    argv = unsafe Copy.blobs(c.n_argv, c.argv)
    cwd = unsafe Copy.blob(c.cwd)
    environment = unsafe Copy.messages(c.n_environment, c.environment)
    terminal = unsafe Copy.message(c.terminal)
    stdin = unsafe c.stdin != 0
    output = unsafe Copy.message(c.output)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__ExecRequest.self)
    unsafe (c.pointee.n_argv, c.pointee.argv) = arena.blobs(argv)
    unsafe c.pointee.cwd = arena.blob(cwd)
    unsafe (c.pointee.n_environment, c.pointee.environment) = try arena.messages(environment)
    unsafe c.pointee.terminal = try arena.message(terminal)
    unsafe c.pointee.stdin = stdin ? 1 : 0
    unsafe c.pointee.output = try arena.message(output)
  }
}

/// Tool `process.shell`: runs one script, without pager or prompts. Answers like
/// `process.exec`.
package struct ShellRequest: WireMessage {
  package var script: String
  package var cwd: [UInt8]
  package var environment: [EnvironmentVariable]
  /// "bash" or "sh"; empty: bash where there is one, else sh.
  package var shell: String
  package var output: OutputRule?

  package init(
    script: String = "",
    cwd: [UInt8] = [],
    environment: [EnvironmentVariable] = [],
    shell: String = "",
    output: OutputRule? = nil
  ) {
    self.script = script
    self.cwd = cwd
    self.environment = environment
    self.shell = shell
    self.output = output
  }
}

extension ShellRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__shell_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__ShellRequest.self)
    script = unsafe Copy.text(c.script)
    cwd = unsafe Copy.blob(c.cwd)
    environment = unsafe Copy.messages(c.n_environment, c.environment)
    shell = unsafe Copy.text(c.shell)
    output = unsafe Copy.message(c.output)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__ShellRequest.self)
    unsafe c.pointee.script = try arena.text(script)
    unsafe c.pointee.cwd = arena.blob(cwd)
    unsafe (c.pointee.n_environment, c.pointee.environment) = try arena.messages(environment)
    unsafe c.pointee.shell = try arena.text(shell)
    unsafe c.pointee.output = try arena.message(output)
  }
}
