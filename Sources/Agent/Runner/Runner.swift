package import Providers
internal import Synchronization
package import Wire

/// What followers of a chat are told.
package typealias ChatUpdate = Gatehouse_Plane_V1_FollowChatResponse.OneOf_Event

/// Performs a chat's effects: asks the model, runs calls, tells followers.
package struct Runner: Sendable {
  private let model: any Model
  private let tools: any ToolRunner
  private let sleep: @Sendable (Duration) async throws -> Void
  private let publish: @Sendable (ChatUpdate) async -> Void
  private let shelf = OutputShelf()

  /// - Parameters:
  ///   - model: retries on its own.
  ///   - tools: those of the chat's workspace.
  ///   - sleep: ends early by throwing, when the task is cancelled.
  ///   - publish: must take every update, in order; slow followers are its concern.
  package init(
    model: any Model,
    tools: any ToolRunner,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    publish: @escaping @Sendable (ChatUpdate) async -> Void
  ) {
    self.model = model
    self.tools = tools
    self.sleep = sleep
    self.publish = publish
  }

  /// Runs one turn to its end. Cancelling the task stops it: the model's stream and all calls are
  /// cancelled, and it returns when the calls are confirmed to have ended.
  package func run(_ prompt: String, in chat: Chat) async -> Chat {
    await withTaskGroup(of: ChatEvent.self) { group in
      var chat = chat
      chat.apply(.asked(prompt))
      group.addTask { [bounds = chat.bounds] in await watchTime(bounds.maxTime) }
      while true {
        for effect in chat.next() { await perform(effect, &chat, &group) }
        guard chat.state == .working, let event = await group.next() else { break }
        chat.apply(event)
        await publishStep(event, chat)
      }
      group.cancelAll()
      return chat
    }
  }

  private func perform(
    _ effect: ChatEffect,
    _ chat: inout Chat,
    _ group: inout TaskGroup<ChatEvent>
  ) async {
    switch effect {
    case .askModel(let request):
      chat.apply(.stepBegan)
      group.addTask { await ask(request) }
    case .perform(let call):
      chat.apply(.callBegan(call.name))
      group.addTask { await .callEnded(call.name, perform(call)) }
    case .cancelWork: group.cancelAll()
    case .end(let end):
      chat.apply(.ended(end))
      await publish(.ended(.init(end, of: chat)))
    }
  }

  /// The group's clock, and its ear for a stop: a cancelled task wakes it up.
  private func watchTime(_ time: Duration) async -> ChatEvent {
    do {
      try await sleep(time)
      return .timeExpired
    } catch {
      return .stopAsked
    }
  }

  private func ask(_ request: ModelRequest) async -> ChatEvent {
    do {
      return try await .answered(model.answer(request) { await publish(.init($0)) })
    } catch let error as ProviderError {
      return .modelFailed(error.message)
    } catch is CancellationError {
      return .modelCancelled
    } catch {
      return .modelFailed("\(error)")
    }
  }

  private func perform(_ call: PlannedCall) async -> CallResult {
    switch call.action {
    case .run(let request): return await run(call, request)
    case .readOutput(let range):
      await publish(.init(started: call, callID: call.name))
      let result = shelf.read(range)
      await publish(.init(ended: result, callID: call.name))
      return result
    case .refuse(let reason):
      await publish(.init(started: call, callID: call.name))
      let result = CallResult.refused(reason)
      await publish(.init(ended: result, callID: call.name))
      return result
    }
  }

  private func run(_ call: PlannedCall, _ request: ToolRequest) async -> CallResult {
    let log = CallLog()
    let exit = await tools.run(request) { event in
      log.record(event)
      if let update = ChatUpdate(event, of: call, callID: log.callID) { await publish(update) }
    }
    if log.callID.isEmpty {
      log.record(.accepted(callID: call.name))
      await publish(.init(started: call, callID: call.name))
    }
    var output = log.output
    let result = ResultRendering.result(
      of: exit,
      tool: request.tool,
      call: call.name,
      output: &output
    )
    shelf.keep(output, of: call.name)
    await publish(.init(ended: result, callID: log.callID))
    return result
  }

  private func publishStep(_ event: ChatEvent, _ chat: Chat) async {
    guard case .answered(let answer) = event else { return }
    await publish(.step(.init(step: chat.steps, usage: answer.usage)))
  }
}

/// What one running call has said so far.
private final class CallLog: Sendable {
  private let state = Mutex((callID: "", output: KeptOutput()))

  var callID: String { state.withLock { $0.callID } }
  var output: KeptOutput { state.withLock { $0.output } }

  func record(_ event: ToolEvent) {
    state.withLock { state in
      switch event {
      case .accepted(let callID): state.callID = callID
      case .output(_, let bytes): state.output.append(bytes)
      case .gap(let count): state.output.append(Array("\n[\(count) bytes are lost]\n".utf8))
      }
    }
  }
}
