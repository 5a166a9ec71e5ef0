internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct WorkspaceDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Stop a workspace and remove it, with a folder that the plane made for it."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The workspace's name or id.")
  var workspace: String

  func run() async throws {
    let response: Gatehouse_Plane_V1_DeleteWorkspaceResponse = try await client.withClient {
      try await $0.call(
        "/gatehouse.plane.v1.Workspaces/Delete",
        Gatehouse_Plane_V1_DeleteWorkspaceRequest.with { $0.workspace = workspace }
      )
    }
    if output.json { try DataOutput.json(response) }
    Talk.say("deleted \(workspace)")
  }
}
