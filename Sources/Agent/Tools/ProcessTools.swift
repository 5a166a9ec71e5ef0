internal import FoundationEssentials
internal import Wire

/// `process.exec` and `process.shell`.
enum ProcessTools {
  static let all: [AgentTool] = [exec, shell]

  /// What a command may take when the model names no time.
  private static let defaultSeconds = 120
  private static let maxSeconds = 3600

  static let exec = AgentTool(
    name: "process.exec",
    description: """
      Runs one program, without a shell, and returns its exit code and output. \
      Use process.shell for pipes, globs and several commands.
      """,
    parameters: [
      .init(
        name: "argv",
        schema: Schemas.texts("Program and arguments, e.g. [\"git\", \"status\"]."),
        isRequired: true
      )
    ] + shared
  ) { (arguments: ToolArguments) throws(ToolArgumentError) in
    var request = Gatehouse_Tools_V1_ExecRequest()
    request.argv = try arguments.texts("argv").map { Data($0.utf8) }
    guard let program = request.argv.first, !program.isEmpty else {
      throw ToolArgumentError("'argv' must begin with the program")
    }
    request.cwd = Data(try (arguments.text("cwd") ?? "").utf8)
    request.environment = try environment(arguments)
    let words = request.argv.map { String(decoding: $0, as: UTF8.self) }
    return .run(
      ToolRequest(
        tool: "process.exec",
        request: try request.encoded(),
        timeout: try timeout(arguments),
        summary: Summary.line("$ " + words.joined(separator: " "))
      )
    )
  }

  static let shell = AgentTool(
    name: "process.shell",
    description: """
      Runs a script in bash (or sh) and returns its exit code and output. \
      There is no terminal and no pager, and nobody answers prompts.
      """,
    parameters: [.init(name: "script", schema: Schemas.text("The script."), isRequired: true)]
      + shared
  ) { (arguments: ToolArguments) throws(ToolArgumentError) in
    var request = Gatehouse_Tools_V1_ShellRequest()
    request.script = try arguments.text("script") ?? ""
    request.cwd = Data(try (arguments.text("cwd") ?? "").utf8)
    request.environment = try environment(arguments)
    return .run(
      ToolRequest(
        tool: "process.shell",
        request: try request.encoded(),
        timeout: try timeout(arguments),
        summary: Summary.line("$ " + request.script)
      )
    )
  }

  private static let shared: [AgentTool.Parameter] = [
    .init(name: "cwd", schema: Schemas.text("Folder to run in, relative to the workspace's root.")),
    .init(name: "environment", schema: Schemas.pairs("Environment variables to add.")),
    .init(
      name: "timeout_seconds",
      schema: Schemas.integer(
        "After this time everything it started is killed. Default \(defaultSeconds), "
          + "at most \(maxSeconds)."
      )
    ),
  ]

  private static func environment(
    _ arguments: ToolArguments
  ) throws(ToolArgumentError) -> [Gatehouse_Tools_V1_EnvironmentVariable] {
    try arguments.pairs("environment").map { pair in
      var variable = Gatehouse_Tools_V1_EnvironmentVariable()
      variable.name = pair.name
      variable.value = pair.value
      return variable
    }
  }

  private static func timeout(_ arguments: ToolArguments) throws(ToolArgumentError) -> Duration {
    .seconds(try arguments.integer("timeout_seconds", in: 1...maxSeconds) ?? defaultSeconds)
  }
}

/// One line about a call, for people.
enum Summary {
  static func line(_ text: String) -> String {
    let lines = text.split(whereSeparator: \.isNewline)
    let first = lines.first.map(String.init) ?? ""
    let line = first.count > 160 ? first.prefix(159) + "…" : first[...]
    return lines.count > 1 ? line + " …" : String(line)
  }
}
