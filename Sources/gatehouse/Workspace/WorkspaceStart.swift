internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct WorkspaceStart: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start",
    abstract: "Start a stopped workspace; a local one is linked then.",
    discussion: "One elsewhere may link from then on: its gatehouse-toold is started there."
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
    let now = response.workspace
    try WorkspaceCommands.show(now, asJSON: output.json)
    if now.state != .linked { Talk.say("\(now.name) is not linked: \(now.howToStart)") }
  }
}
