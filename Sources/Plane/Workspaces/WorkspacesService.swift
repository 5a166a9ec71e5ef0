internal import Broker
internal import EventLoop
internal import Identity
internal import RPC
internal import SwiftProtobuf
internal import Wire

extension Workspaces {
  /// `gatehouse.plane.v1.Workspaces`.
  nonisolated func service(_ listeners: Listeners) -> Service {
    var service = Service()
    service.answer("/gatehouse.plane.v1.Workspaces/Create") {
      (request: Gatehouse_Plane_V1_CreateWorkspaceRequest, call) in
      let made = try await self.create(
        request.name,
        localRoot: request.hasLocal ? request.local.root : nil,
        for: call.principal
      )
      let workspace = await self.describe(made.record)
      return Gatehouse_Plane_V1_CreateWorkspaceResponse.with {
        $0.workspace = workspace
        guard let token = made.token else { return }
        $0.joinToken = token
        $0.enrollAddress = listeners.bound.addresses.open.description
      }
    }
    service.answer("/gatehouse.plane.v1.Workspaces/Start") {
      (request: Gatehouse_Plane_V1_StartWorkspaceRequest, call) in
      let record = try await self.start(request.workspace, for: call.principal)
      let workspace = await self.describe(record)
      return Gatehouse_Plane_V1_StartWorkspaceResponse.with { $0.workspace = workspace }
    }
    service.answer("/gatehouse.plane.v1.Workspaces/Stop") {
      (request: Gatehouse_Plane_V1_StopWorkspaceRequest, call) in
      let record = try await self.stop(request.workspace, for: call.principal)
      let workspace = await self.describe(record)
      return Gatehouse_Plane_V1_StopWorkspaceResponse.with { $0.workspace = workspace }
    }
    service.answer("/gatehouse.plane.v1.Workspaces/Delete") {
      (request: Gatehouse_Plane_V1_DeleteWorkspaceRequest, call) in
      try await self.delete(request.workspace, for: call.principal)
      return Gatehouse_Plane_V1_DeleteWorkspaceResponse()
    }
    service.answer("/gatehouse.plane.v1.Workspaces/MakeToken") {
      (request: Gatehouse_Plane_V1_MakeWorkspaceTokenRequest, call) in
      let made = try await self.makeToken(request.workspace, for: call.principal)
      let workspace = await self.describe(made.record)
      return Gatehouse_Plane_V1_MakeWorkspaceTokenResponse.with {
        $0.workspace = workspace
        $0.joinToken = made.token
        $0.enrollAddress = listeners.bound.addresses.open.description
      }
    }
    service.answer("/gatehouse.plane.v1.Workspaces/List") {
      (_: Gatehouse_Plane_V1_ListWorkspacesRequest, call) in
      var response = Gatehouse_Plane_V1_ListWorkspacesResponse()
      for record in try await self.list(for: call.principal) {
        response.workspaces.append(await self.describe(record))
      }
      return response
    }
    return service
  }

  private func list(for principal: Principal) -> [WorkspaceRecord] { registry.all(of: principal) }

  /// A workspace as its owner is told of it.
  private func describe(_ record: WorkspaceRecord) async -> Gatehouse_Plane_V1_Workspace {
    let link = await broker.link(of: record.id)
    let calls = await broker.calls(in: record.id)
    return .with {
      $0.id = record.id
      $0.name = record.name
      $0.owner = record.owner.id
      $0.state = Self.state(record, isLinked: link != nil)
      $0.local = record.local != nil
      $0.root = record.local?.root ?? ""
      $0.runningCalls = UInt32(clamping: calls.all)
      guard let link else { return }
      $0.daemonVersion = link.daemonVersion
      $0.tools = link.tools
    }
  }

  private static func state(
    _ record: WorkspaceRecord,
    isLinked: Bool
  ) -> Gatehouse_Plane_V1_WorkspaceState {
    if record.isStopped { return .stopped }
    if isLinked { return .linked }
    return record.hasLinked ? .unlinked : .pending
  }
}
