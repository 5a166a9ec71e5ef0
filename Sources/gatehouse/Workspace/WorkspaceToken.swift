internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct WorkspaceToken: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Print a new join token for a workspace elsewhere.",
    discussion: """
      It works once, within ten minutes; those printed before and not used stop working. For a daemon \
      that has lost its certificate, or a token that was too old.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The workspace's name or id.")
  var workspace: String

  func run() async throws {
    let response: Gatehouse_Plane_V1_MakeWorkspaceTokenResponse = try await client.withClient {
      try await $0.call(
        "/gatehouse.plane.v1.Workspaces/MakeToken",
        Gatehouse_Plane_V1_MakeWorkspaceTokenRequest.with { $0.workspace = workspace }
      )
    }
    guard !output.json else { return try DataOutput.json(response) }
    try WorkspaceCommands.show(response.workspace, asJSON: false)
    try JoinToken.show(response.joinToken, enrollingAt: response.enrollAddress)
  }
}
