internal import Agent
internal import Broker
internal import Calls
internal import Identity
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// The tools of one workspace, as the chat of one principal runs them: through the broker, like any
/// client's call. The chat's name for a call is its idempotency key: a plane that starts anew comes
/// back to the call instead of running it twice.
struct BrokerTools: ToolRunner {
  let broker: Broker
  let principal: Principal
  let workspaceID: String
  let chatID: String
  let records: ChatRecords
  /// What followers know of calls that an earlier plane began.
  let log: ChatLog
  /// For how long a workspace may be without a link before its calls are refused.
  var patience = Duration.zero

  func run(
    _ request: ToolRequest,
    deliver: @Sendable (ToolEvent) async -> Void
  ) async -> Gatehouse_Tools_V1_Exit {
    let order = order(request)
    let invocation: Invocation
    do {
      invocation = try await invoke(order)
    } catch {
      return Self.refused(error)
    }
    await deliver(.accepted(callID: invocation.callID))
    do {
      return try await read(invocation, deliver)
    } catch {
      guard !records.isSuspended else { return Self.lost }
      await invocation.cancel()
      // A task of its own, since this one is cancelled and could not wait. Ends with the call.
      return await Task { await Self.exit(of: invocation) }.value
    }
  }

  private func order(_ request: ToolRequest) -> CallOrder {
    var order = CallOrder(
      principal: principal,
      workspace: workspaceID,
      tool: request.tool,
      request: request.request
    )
    order.timeout = request.timeout
    order.idempotencyKey = "\(chatID):\(request.use)"
    // A later plane comes back for what this one did not take.
    (order.acknowledges, order.resumes) = (true, true)
    order.isKept = true
    // Of a turn that is being stopped nothing is begun, only ended.
    order.hasOutput = Task.isCancelled
    order.origin = request.place.map {
      CallOrigin(
        chat: chatID,
        turn: records.turn,
        step: UInt64(clamping: $0.step),
        cause: $0.cause
      )
    }
    return order
  }

  /// After a restart daemons need a moment to come back. A call that is known needs none of them.
  private func invoke(_ order: CallOrder) async throws -> Invocation {
    let end = ContinuousClock.now + patience
    while true {
      do {
        return try await broker.invoke(order)
      } catch let status as RPCStatus where status.code == .unavailable {
        guard ContinuousClock.now < end, !Task.isCancelled else { throw status }
      }
      if await broker.link(of: workspaceID) == nil {
        _ = await broker.waitForLink(of: workspaceID, within: .milliseconds(500))
      } else {
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  private func read(
    _ invocation: Invocation,
    _ deliver: @Sendable (ToolEvent) async -> Void
  ) async throws -> Gatehouse_Tools_V1_Exit {
    var told = ToldOutput()
    if invocation.isRepeated {
      for output in log.output(of: invocation.callID) {
        let bytes = Array(output.data)
        told.end[output.stream] = output.offset + UInt64(bytes.count)
        await deliver(.output(output.stream, offset: output.offset, bytes))
      }
    }
    while let event = try await invocation.next() {
      switch event {
      case .output(let stream, let offset, let bytes):
        let stream = Gatehouse_Tools_V1_Stream(stream)
        if let rest = told.rest(of: bytes, at: offset, on: stream) {
          let start = offset + UInt64(bytes.count - rest.count)
          await deliver(.output(stream, offset: start, Array(rest)))
        }
      case .gap(let gap):
        let lost = told.lost(from: gap.offset, to: gap.offset + gap.count, on: .init(gap.stream))
        if lost > 0 { await deliver(.gap(Int(clamping: lost))) }
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
    if let status = error as? RPCStatus, status.code == .alreadyExists {
      // It was made under its name, and has ended so long ago that the plane holds no more of it.
      return .with {
        $0.outcome = .lost
        $0.error.code = "lost"
        $0.error.message = "it ran while there was no plane; the ledger says how it ended"
      }
    }
    return .with {
      $0.outcome = .refused
      $0.error.code = "unavailable"
      $0.error.message = (error as? RPCStatus)?.message ?? "the plane could not start the call"
    }
  }
}

extension Gatehouse_Tools_V1_Stream {
  fileprivate init(_ stream: CallStream) {
    self = .init(rawValue: Int(stream.rawValue)) ?? .unspecified
  }
}

/// How far a call's outputs were told by an earlier plane: what that one took, the daemon gives no
/// more.
private struct ToldOutput {
  var end: [Gatehouse_Tools_V1_Stream: UInt64] = [:]

  /// What of it is behind that; nil: nothing.
  func rest(
    of bytes: [UInt8],
    at offset: UInt64,
    on stream: Gatehouse_Tools_V1_Stream
  ) -> ArraySlice<UInt8>? {
    let known = (end[stream] ?? 0).subtractingReportingOverflow(offset)
    guard !known.overflow else { return bytes[...] }
    return known.partialValue < bytes.count ? bytes.dropFirst(Int(known.partialValue)) : nil
  }

  /// How much of what is missing was not told.
  func lost(
    from start: UInt64,
    to stop: UInt64,
    on stream: Gatehouse_Tools_V1_Stream
  ) -> UInt64 {
    let first = max(start, end[stream] ?? 0)
    return stop > first ? stop - first : 0
  }
}
