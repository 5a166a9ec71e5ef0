import Foundation
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
    #expect(ending.output.contains("| `calls.default_timeout` | time, 1s–24h | `24h` |"))
  }

  @Test func `a doctor looks at a settings file`() async throws {
    let ending = try await Program.run(["doctor", "--config", "/none/plane.yaml"])
    #expect(ending.output.contains("cannot read /none/plane.yaml"))
    #expect(ending.code == 1)
  }

  @Test func `a doctor looks at what a settings file names`() async throws {
    let folder = NSTemporaryDirectory() + "/" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = folder + "/plane.yaml"
    try """
    state: \(folder)/state
    model: {url: "http://127.0.0.1:1/v1", key_file: /none/key}
    daemon: {program: /none/toold}
    """.write(toFile: file, atomically: false, encoding: .utf8)
    let ending = try await Program.run(["doctor", "--config", file])
    #expect(ending.output.contains("model.key_file: cannot read /none/key"))
    #expect(ending.output.contains("daemon.program: there is no program /none/toold"))
    #expect(ending.output.contains("a model is set in \(file): http://127.0.0.1:1/v1"))
    #expect(ending.output.contains("cannot read \(folder)/state/client/"))
    #expect(!ending.output.contains("no model is set"))
    #expect(ending.code == 1)
  }

  @Test func `a doctor finds no plane in a state folder that was named`() async throws {
    let ending = try await Program.run(["doctor", "--state", "/none"])
    #expect(ending.output.contains("✗ no client identity: cannot read /none/client/"))
    #expect(ending.code == 1)
  }

  private static let requests: [(String, String)] = [
    (#"{"path": "a"}"#, "base64"), (#"{"nope": 1}"#, "no field 'nope'"),
    (#"{"path": "YQ=="} and more"#, "does not end where JSON does"),
  ]

  @Test(arguments: requests)
  func `a request that is none is explained`(json: String, reason: String) async throws {
    let ending = try await Program.run(["call", "invoke", "w", "files.stat", "--request", json])
    #expect(ending.complaints.contains(reason))
    #expect(ending.code == 64)
  }

  @Test(arguments: ["1", "90s", "500ms", "5m", "2h"])
  func `a time may have a unit`(text: String) async throws {
    let ending = try await Program.run(["exec", "w", "--timeout", text, "--", "ls"])
    // As far as the identity, which is not there.
    #expect(ending.code == 125)
    let invoke = ["call", "invoke", "w", "files.list", "--timeout", text]
    #expect(try await Program.run(invoke).code == 125)
  }

  @Test func `times in words are refused, and the help says what none means`() async throws {
    let ending = try await Program.run(["exec", "w", "--timeout", "soon", "--", "ls"])
    #expect(ending.code == 64)
    for command in [["exec"], ["call", "invoke"]] {
      let help = try await Program.run(command + ["--help"]).output
      #expect(help.contains("calls.default_timeout"))
    }
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
