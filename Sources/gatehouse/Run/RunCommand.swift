internal import ArgumentParser
internal import Client
internal import Console
internal import SwiftProtobuf
internal import Wire

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Hand a task to an agent, and watch it work.",
    discussion: """
      The agent's words go to standard output, what it does to standard error. Ctrl-C stops the turn
      and its commands, and waits until they have ended; a second one leaves it running.
      Exits with 0 when completed, 130 when stopped, else with 1.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "What is to be done.")
  var prompt: String

  @Option(
    name: [.long, .customShort("w")],
    help: "The workspace's name or id. Default: the only one you have."
  )
  var workspace: String?

  @Option(help: "The model's name. Default: the plane's.")
  var model = ""

  func run() async throws {
    let end = try await client.withClient { client in
      // Before there is a plane to ask, a signal does what it does to any program.
      let signals = Signals.watch([Signals.interrupt, Signals.terminate, Signals.hangUp])
      let chat = try await start(client)
      if !output.json { Talk.say(Talk.style.dim("chat \(chat.chatID), model \(chat.model)")) }
      return try await withThrowingTaskGroup(of: Gatehouse_Plane_V1_TurnEnded?.self) { group in
        group.addTask {
          try await ChatWatch(self.client, chat.chatID, asJSON: output.json).run(on: client)
        }
        group.addTask { try await stop(chat.chatID, on: signals) }
        defer { group.cancelAll() }
        while let end = try await group.next() {
          if let end { return end }
        }
        throw ClientError("the turn's end is not known; see: gatehouse chat follow \(chat.chatID)")
      }
    }
    Exit.leave(with: ChatWatch.exitCode(of: end))
  }

  private func start(_ client: PlaneClient) async throws -> Gatehouse_Plane_V1_StartChatResponse {
    let workspace = try await chosenWorkspace(client)
    return try await client.call(
      "/gatehouse.plane.v1.Chats/Start",
      Gatehouse_Plane_V1_StartChatRequest.with {
        $0.workspace = workspace
        $0.prompt = prompt
        $0.model = model
      }
    )
  }

  private func chosenWorkspace(_ client: PlaneClient) async throws -> String {
    let workspaces = try await client.workspaces()
    if let workspace {
      let named =
        workspaces.first { $0.id == workspace } ?? workspaces.first { $0.name == workspace }
      // The plane says best that there is none.
      return try named.map(Self.linked) ?? workspace
    }
    guard let only = workspaces.first, workspaces.count == 1 else {
      let remedy =
        workspaces.isEmpty
        ? "make one: gatehouse workspace create NAME --local"
        : "choose one with --workspace: " + workspaces.map(\.name).joined(separator: ", ")
      throw ClientError("no workspace is named; \(remedy)")
    }
    return try Self.linked(only)
  }

  /// The id of a workspace in which calls can be made: without a link each would fail.
  private static func linked(_ workspace: Gatehouse_Plane_V1_Workspace) throws -> String {
    guard workspace.state == .linked else {
      throw ClientError("workspace '\(workspace.name)': \(workspace.howToStart)")
    }
    return workspace.id
  }

  private func stop(
    _ chat: String,
    on signals: AsyncStream<Int32>
  ) async throws -> Gatehouse_Plane_V1_TurnEnded? {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var isStopping = false
      for await _ in signals {
        guard !isStopping else {
          throw ClientError("left; the turn goes on: gatehouse chat stop \(chat)", exitCode: 130)
        }
        isStopping = true
        Talk.say(Talk.style.yellow("stopping the turn and its commands; once more leaves it"))
        // The answer comes when the turn has ended, of which the watch hears too.
        group.addTask { _ = try? await client.withClient { try await $0.stopChat(chat) } }
      }
    }
    return nil
  }
}
