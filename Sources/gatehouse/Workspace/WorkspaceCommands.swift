internal import ArgumentParser
internal import Client
internal import Wire

struct WorkspaceCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workspace",
    abstract: "Places where tools run: create, start, stop, delete, list, token.",
    subcommands: [
      WorkspaceCreate.self, WorkspaceStart.self, WorkspaceStop.self, WorkspaceDelete.self,
      WorkspaceList.self, WorkspaceToken.self,
    ]
  )

  /// Says what a workspace is now.
  static func show(_ workspace: Gatehouse_Plane_V1_Workspace, asJSON: Bool) throws {
    guard !asJSON else { return try DataOutput.json(workspace) }
    try DataOutput.line("\(workspace.name)  \(workspace.id)  \(Names.text(workspace.state))")
  }
}
