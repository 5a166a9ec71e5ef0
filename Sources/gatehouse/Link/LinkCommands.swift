internal import ArgumentParser
internal import Client
internal import Wire

struct LinkCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link",
    abstract: "Daemons' sessions with the plane: list, show.",
    subcommands: [LinkList.self, LinkShow.self]
  )
}

extension PlaneClient {
  /// The links of the caller's workspaces, by name.
  func links() async throws -> [Gatehouse_Plane_V1_Link] {
    let response: Gatehouse_Plane_V1_ListLinksResponse = try await call(
      "/gatehouse.plane.v1.Links/List",
      Gatehouse_Plane_V1_ListLinksRequest()
    )
    return response.links
  }
}
