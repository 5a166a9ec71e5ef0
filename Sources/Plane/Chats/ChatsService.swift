internal import RPC
internal import SwiftProtobuf
internal import Wire
internal import FoundationEssentials

extension Chats {
  /// `gatehouse.plane.v1.Chats`.
  nonisolated var service: Service {
    var service = Service()
    service.answer("/gatehouse.plane.v1.Chats/Start") {
      (request: Gatehouse_Plane_V1_StartChatRequest, call) in
      try await self.start(request, for: call.principal)
    }
    service.answer("/gatehouse.plane.v1.Chats/Send") {
      (request: Gatehouse_Plane_V1_SendChatRequest, call) in
      try await self.send(request, for: call.principal)
    }
    service.answer("/gatehouse.plane.v1.Chats/Stop") {
      (request: Gatehouse_Plane_V1_StopChatRequest, call) in
      try await self.stop(request.chatID, for: call.principal)
    }
    service.answer("/gatehouse.plane.v1.Chats/List") {
      (_: Gatehouse_Plane_V1_ListChatsRequest, call) in
      let chats = await self.list(for: try call.principal)
      return Gatehouse_Plane_V1_ListChatsResponse.with { $0.chats = chats }
    }
    service.serverStreaming("/gatehouse.plane.v1.Chats/Follow") { bytes, call in
      guard let request = try? Gatehouse_Plane_V1_FollowChatRequest(serializedBytes: bytes) else {
        throw RPCStatus(.invalidArgument, "the request is no FollowChatRequest")
      }
      try await self.follow(request, on: call)
    }
    return service
  }

  private nonisolated func follow(
    _ request: Gatehouse_Plane_V1_FollowChatRequest,
    on call: ServerCall
  ) async throws {
    let log: ChatLog
    do {
      log = try await self.log(of: request.chatID, for: call.principal)
    } catch let error as PlaneError {
      throw error.status
    }
    var seen = request.after
    while case let events = try await log.events(after: seen, waits: !request.past),
      !events.isEmpty
    {
      for event in events { try await call.sendWhenRoom(event.serializedBytes()) }
      seen += UInt64(events.count)
    }
  }
}
