internal import ArgumentParser
internal import Client
internal import Console
internal import FoundationEssentials
internal import Host
internal import Providers

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "See it work: plane, workspace and agent, on this machine.",
    discussion: """
      Needs sh and python3, and nothing to be configured. With GATEHOUSE_MODEL_URL and
      OPENAI_API_KEY (and GATEHOUSE_MODEL) in the environment a real model does the work, a script
      otherwise.
      """
  )

  @Option(help: ArgumentHelp("Work on your own code instead; needs a model.", valueName: "dir"))
  var repo: String?

  @Option(help: "What the agent is asked to do, with --repo.")
  var prompt: String?

  @Flag(help: "Leave everything up, and say how to reach it.")
  var keep = false

  @Flag(
    help: "With --repo where the kernel has no Landlock: commands may read what the account can."
  )
  var unsafeNoSandbox = false

  func validate() throws {
    guard (repo == nil) == (prompt == nil) else {
      throw ValidationError("--repo and --prompt go together")
    }
  }

  func run() async throws {
    // First of all: the key leaves this process's environment while it has one thread.
    let key = EnvironmentSecret.take("OPENAI_API_KEY")
    // A key alone is what the demo looks for; a model is asked where one is named, or must be.
    let hasURL = ThisProcess.variable("GATEHOUSE_MODEL_URL") != nil
    let hasModel = hasURL || (repo != nil && key != nil)
    try check(hasModel: hasModel)
    try ThisProcess.makeNonDumpable()
    let signals = Signals.watch([Signals.interrupt, Signals.terminate, Signals.hangUp])
    let story = DemoStory(
      key: key,
      usesScript: !hasModel,
      root: repo.map(Self.absolute),
      prompt: prompt ?? DemoProject.prompt,
      keeps: keep
    )
    Exit.leave(with: try await tell(story, until: signals))
  }

  /// Tells the story; a signal stops it, and it cleans up before it ends.
  private func tell(_ story: DemoStory, until signals: AsyncStream<Int32>) async throws -> Int32 {
    try await withThrowingTaskGroup(of: Int32.self) { group in
      group.addTask { try await story.tell() ? 0 : 1 }
      group.addTask {
        for await _ in signals { break }
        return 130
      }
      let code = try await group.next() ?? 1
      group.cancelAll()
      while await group.nextResult() != nil {}
      return code
    }
  }

  private func check(hasModel: Bool) throws {
    for program in ["sh", "python3"] where Programs.find(program) == nil {
      throw ClientError("the demo needs \(program), which is not in PATH; install it")
    }
    guard let repo else { return }
    guard hasModel else {
      throw ClientError("--repo needs a model; set OPENAI_API_KEY or GATEHOUSE_MODEL_URL")
    }
    guard FileManager.default.fileExists(atPath: repo) else {
      throw ClientError("there is no folder \(repo)")
    }
    if let problem = DemoRoot.problem(Self.absolute(repo)) { throw ClientError(problem) }
    guard Kernel.landlockVersion > 0 || unsafeNoSandbox else {
      throw ClientError(
        "this kernel has no Landlock: the model's commands could read all that your account can; "
          + "use a container or another account, or accept it with --unsafe-no-sandbox"
      )
    }
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}

/// Programs in PATH.
enum Programs {
  static func find(_ name: String) -> String? {
    (ThisProcess.variable("PATH") ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
