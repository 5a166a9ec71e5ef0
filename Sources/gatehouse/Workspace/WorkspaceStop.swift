internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct WorkspaceStop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "End a workspace's calls and its daemon. What is on disk stays."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The workspace's name or id.")
  var workspace: String

  func run() async throws {
    let response: Gatehouse_Plane_V1_StopWorkspaceResponse = try await client.withClient {
      try await $0.call(
        "/gatehouse.plane.v1.Workspaces/Stop",
        Gatehouse_Plane_V1_StopWorkspaceRequest.with { $0.workspace = workspace }
      )
    }
    try WorkspaceCommands.show(response.workspace, asJSON: output.json)
  }
}
