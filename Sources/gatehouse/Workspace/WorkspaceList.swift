internal import ArgumentParser
internal import Client
internal import Wire

struct WorkspaceList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List your workspaces."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let workspaces = try await client.withClient { try await $0.workspaces() }
    guard !output.json else {
      for workspace in workspaces { try DataOutput.json(workspace) }
      return
    }
    try DataOutput.line(
      Table.text(
        ["NAME", "ID", "STATE", "CALLS", "ROOT"],
        workspaces.map {
          [
            $0.name, $0.id, Names.text($0.state), "\($0.runningCalls)",
            $0.local ? Plain.text($0.root) : "elsewhere",
          ]
        },
        style: DataOutput.style
      )
    )
  }
}

extension PlaneClient {
  func workspaces() async throws -> [Gatehouse_Plane_V1_Workspace] {
    let response: Gatehouse_Plane_V1_ListWorkspacesResponse = try await call(
      "/gatehouse.plane.v1.Workspaces/List",
      Gatehouse_Plane_V1_ListWorkspacesRequest()
    )
    return response.workspaces
  }
}
