internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct WorkspaceStart: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start",
    abstract: "Start a stopped workspace, and wait until it is linked."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The workspace's name or id.")
  var workspace: String

  func run() async throws {
    let response: Gatehouse_Plane_V1_StartWorkspaceResponse = try await client.withClient {
      try await $0.call(
        "/gatehouse.plane.v1.Workspaces/Start",
        Gatehouse_Plane_V1_StartWorkspaceRequest.with { $0.workspace = workspace }
      )
    }
    try WorkspaceCommands.show(response.workspace, asJSON: output.json)
  }
}
