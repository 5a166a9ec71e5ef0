internal import Agent
internal import Broker
internal import Calls
internal import Identity
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// The tools of one workspace, as the chat of one principal runs them: through the broker, like any
/// client's call.
struct BrokerTools: ToolRunner {
  let broker: Broker
  let principal: Principal
  let workspaceID: String

  func run(
    _ request: ToolRequest,
    deliver: @Sendable (ToolEvent) async -> Void
  ) async -> Gatehouse_Tools_V1_Exit {
    var order = CallOrder(
      principal: principal,
      workspace: workspaceID,
      tool: request.tool,
      request: request.request
    )
    order.timeout = request.timeout
    let invocation: Invocation
    do {
      invocation = try await broker.invoke(order)
    } catch {
      return Self.refused(error)
    }
    await deliver(.accepted(callID: invocation.callID))
    do {
      return try await read(invocation, deliver)
    } catch {
      await invocation.cancel()
      // A task of its own, since this one is cancelled and could not wait. Ends with the call.
      return await Task { await Self.exit(of: invocation) }.value
    }
  }

  private func read(
    _ invocation: Invocation,
    _ deliver: @Sendable (ToolEvent) async -> Void
  ) async throws -> Gatehouse_Tools_V1_Exit {
    while let event = try await invocation.next() {
      switch event {
      case .output(let stream, _, let bytes):
        await deliver(.output(.init(rawValue: Int(stream.rawValue)) ?? .unspecified, bytes))
      case .gap(let lost): await deliver(.gap(Int(clamping: lost.count)))
      case .exit(let exit): return exit
      }
    }
    return Self.lost
  }

  /// How a call ended that was cancelled; its further output is dropped.
  private static func exit(of invocation: Invocation) async -> Gatehouse_Tools_V1_Exit {
    while let event = try? await invocation.next() {
      if case .exit(let exit) = event { return exit }
    }
    return lost
  }

  private static var lost: Gatehouse_Tools_V1_Exit { .with { $0.outcome = .lost } }

  private static func refused(_ error: any Error) -> Gatehouse_Tools_V1_Exit {
    .with {
      $0.outcome = .refused
      $0.error.code = "unavailable"
      $0.error.message = (error as? RPCStatus)?.message ?? "the plane could not start the call"
    }
  }
}
