import Testing

@Suite(.timeLimit(.minutes(5))) struct CommandLineTests {
  /// 1 may be a command's own code.
  private static let withoutIdentity: [([String], Int32)] = [
    (["exec", "w", "--", "ls"], 125), (["call", "invoke", "w", "files.list"], 125),
    (["call", "follow", "c"], 125), (["workspace", "list"], 1), (["run", "x"], 1),
    (["call", "list"], 1), (["link", "list"], 1), (["top", "--once"], 1),
  ]

  @Test(arguments: withoutIdentity)
  func `a command without an identity says what is missing, in one line`(
    arguments: [String],
    code: Int32
  ) async throws {
    let ending = try await Program.run(arguments)
    #expect(ending.code == code)
    #expect(ending.output.isEmpty)
    #expect(ending.complaints.split(separator: "\n").count == 1)
    #expect(ending.complaints.contains("cert.pem"))
    #expect(ending.complaints.contains("--state DIR"))
  }

  @Test func `the reference of the settings is printed, without a plane`() async throws {
    let ending = try await Program.run(["plane", "--settings"])
    #expect(ending.output.contains("| `calls.default_timeout` | time, 1s–24h | `10m` |"))
  }

  @Test func `a doctor looks at a settings file`() async throws {
    let ending = try await Program.run(["doctor", "--config", "/none/plane.yaml"])
    #expect(ending.output.contains("cannot read /none/plane.yaml"))
    #expect(ending.code == 1)
  }

  @Test func `a version is printed`() async throws {
    #expect(try await Program.run(["--version"]).output.hasPrefix("gatehouse "))
  }

  @Test func `a doctor without a plane looks at the machine`() async throws {
    let ending = try await Program.run(["doctor"])
    #expect(ending.output.contains("What a local workspace shares with its account"))
    #expect(ending.output.contains("gatehouse-toold at "))
  }

  @Test(arguments: [["exec", "w"], ["nonsense"], ["workspace", "create", "w", "--root", "/"]])
  func `wrong usage has a code of its own`(arguments: [String]) async throws {
    #expect(try await Program.run(arguments).code == 64)
  }
}
