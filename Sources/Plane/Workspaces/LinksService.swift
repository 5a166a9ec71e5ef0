internal import Broker
internal import FoundationEssentials
internal import Identity
internal import RPC
internal import SwiftProtobuf
internal import Wire

extension Workspaces {
  /// `gatehouse.plane.v1.Links`.
  nonisolated var linksService: Service {
    var service = Service()
    service.answer("/gatehouse.plane.v1.Links/List") {
      (_: Gatehouse_Plane_V1_ListLinksRequest, call) in
      let links = await self.links(for: try call.principal)
      return Gatehouse_Plane_V1_ListLinksResponse.with { $0.links = links }
    }
    service.answer("/gatehouse.plane.v1.Links/Show") {
      (request: Gatehouse_Plane_V1_ShowLinkRequest, call) in
      let link = try await self.link(of: request.workspace, for: call.principal)
      return Gatehouse_Plane_V1_ShowLinkResponse.with { $0.link = link }
    }
    return service
  }

  /// The links of a principal's workspaces, by their names.
  private func links(for principal: Principal) async -> [Gatehouse_Plane_V1_Link] {
    var links: [Gatehouse_Plane_V1_Link] = []
    for record in registry.all(of: principal).sorted(by: { $0.name < $1.name }) {
      if let link = await broker.link(of: record.id) { links.append(.init(link)) }
    }
    return links
  }

  private func link(
    of reference: String,
    for principal: Principal
  ) async throws(PlaneError) -> Gatehouse_Plane_V1_Link {
    let record = try registry.record(reference, for: principal)
    guard let link = await broker.link(of: record.id) else {
      let remedy =
        record.isStopped
        ? "is stopped; start it first"
        : "is not linked; its daemon does not run, or cannot reach the plane (see its log)"
      throw PlaneError(.failedPrecondition, "workspace '\(record.name)' \(remedy)")
    }
    return .init(link)
  }
}

extension Gatehouse_Plane_V1_Link {
  fileprivate init(_ link: Broker.Link) {
    self.init()
    workspaceID = link.workspace.id
    workspaceName = link.workspace.name
    sessionEpoch = link.epoch
    instanceID = Data(link.instance)
    daemonVersion = link.daemonVersion
    peerAddress = link.peerAddress
    sinceUnixUs = link.cameUp
    certificateExpiresUnixUs = (link.certificateExpires ?? 0) * 1_000_000
    tools = link.tools
    maxCalls = UInt32(clamping: link.maxCalls)
    runningCalls = UInt32(clamping: link.calls.running + link.calls.detached)
    unclaimedCalls = UInt32(clamping: link.calls.offered)
    queuedCalls = UInt32(clamping: link.calls.queued)
    endedCalls = link.traffic.calls
    outputBytes = link.traffic.output
    stdinBytes = link.traffic.stdin
    windowBytes = UInt64(clamping: link.windowBytes)
  }
}
