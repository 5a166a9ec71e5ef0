internal import ArgumentParser
internal import Client
internal import FoundationEssentials
internal import SwiftProtobuf
internal import Wire

struct WorkspaceCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Make a workspace.",
    discussion: """
      With --local its daemon runs on the plane's machine, as the plane's account. Without, a join
      token is printed, for a daemon elsewhere: it works once, within ten minutes.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "Its name: lower-case letters, digits and '-'.")
  var name: String

  @Flag(help: "Run its daemon on the plane's machine.")
  var local = false

  @Option(
    help: ArgumentHelp(
      "An existing folder to work in, with --local. Default: a new one.",
      valueName: "dir"
    )
  )
  var root: String?

  func validate() throws {
    guard root == nil || local else { throw ValidationError("--root goes with --local") }
  }

  func run() async throws {
    let response: Gatehouse_Plane_V1_CreateWorkspaceResponse = try await client.withClient {
      try await $0.call(
        "/gatehouse.plane.v1.Workspaces/Create",
        Gatehouse_Plane_V1_CreateWorkspaceRequest.with {
          $0.name = name
          guard local else { return }
          $0.local.root = root.map(Self.absolute) ?? ""
        }
      )
    }
    guard !output.json else { return try DataOutput.json(response) }
    try WorkspaceCommands.show(response.workspace, asJSON: false)
    guard !response.joinToken.isEmpty else { return }
    try JoinToken.show(response.joinToken, enrollingAt: response.enrollAddress)
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}
