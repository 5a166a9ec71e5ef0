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
  private let recorder: (any ChatRecorder)?
  private let shelf = OutputShelf()

  /// - Parameters:
  ///   - model: retries on its own.
  ///   - tools: those of the chat's workspace.
  ///   - recorder: nil: nothing is kept.
  ///   - sleep: ends early by throwing, when the task is cancelled.
  ///   - publish: must take every update, in order; slow followers are its concern.
  package init(
    model: any Model,
    tools: any ToolRunner,
    recorder: (any ChatRecorder)? = nil,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    publish: @escaping @Sendable (ChatUpdate) async -> Void
  ) {
    self.model = model
    self.tools = tools
    self.recorder = recorder
    self.sleep = sleep
    self.publish = publish
  }

  /// Runs one turn to its end. Cancelling the task stops it: the model's stream and all calls are
  /// cancelled, and it returns when the calls are confirmed to have ended.
  package func run(_ prompt: String, in chat: Chat) async -> Chat {
    switch await announce(.prompted(prompt)) {
    case .failure(let failure):
      // It was not said, then: the model must not hear of it later, nor the records of an end.
      let end = TurnEnd(state: .failed, reason: failure.reason)
      await publish(.ended(.init(end, of: chat)))
      return chat
    case .success(let record):
      var chat = chat
      chat.apply(.asked(prompt))
      await publish(.init(prompt: prompt))
      let place = ChatPlace(step: 0, cause: record)
      return await drive(chat, from: place, within: chat.bounds.maxTime)
    }
  }

  /// Goes on with a turn that an earlier process began, as `run` does. An answer that was on its way
  /// is asked for again; calls that have no result are run by the name they had, so that who knows
  /// them by it does not start them anew.
  ///
  /// - Parameters:
  ///   - replay: where it was.
  ///   - text: what followers have seen of the answer that was on its way.
  ///   - elapsed: of the turn's time.
  /// - Returns: the chat as the turn left it.
  package func resume(_ replay: ChatReplay, cutText text: String, after elapsed: Duration) async
    -> Chat
  {
    var replay = replay
    if let asked = replay.unanswered {
      recorder?.note(.modelCut(text, step: replay.place.step, cause: asked))
      replay.giveUpAnswer()
      if !text.isEmpty {
        let reason = "the plane started anew in the middle of the answer"
        await publish(.init(ModelEvent.retrying(reason: reason, delay: .zero)))
      }
    }
    let time = max(.zero, replay.chat.bounds.maxTime - elapsed)
    return await drive(replay.chat, from: replay.place, within: time, told: text)
  }

  /// `told`: what followers have of the first answer.
  private func drive(
    _ chat: Chat,
    from place: ChatPlace,
    within time: Duration,
    told: String = ""
  ) async -> Chat {
    await withTaskGroup(of: ChatEvent.self) { group in
      var chat = chat
      let place = CurrentPlace(place, told: ShownText(told))
      // Nothing is begun in a turn that has no time left.
      if time > .zero { group.addTask { await watchTime(time) } } else { chat.apply(.timeExpired) }
      // Cancelled from their beginning: they are come back to only to be ended.
      let unended = chat.callsToEnd
      if !unended.isEmpty { group.cancelAll() }
      for call in unended { await perform(.perform(call), at: place, &chat, &group) }
      while true {
        for effect in chat.next() { await perform(effect, at: place, &chat, &group) }
        guard chat.state == .working, let event = await group.next() else { break }
        if event == .stopAsked { recorder?.note(.stopAsked) }
        chat.apply(event)
        await publishStep(event, chat)
      }
      group.cancelAll()
      return chat
    }
  }

  private func perform(
    _ effect: ChatEffect,
    at place: CurrentPlace,
    _ chat: inout Chat,
    _ group: inout TaskGroup<ChatEvent>
  ) async {
    switch effect {
    case .askModel(let request):
      chat.apply(.stepBegan)
      place.value.step = chat.steps
      group.addTask { await ask(request, at: place) }
    case .perform(let call):
      chat.apply(.callBegan(call.name))
      group.addTask { [now = place.value] in await .callEnded(call.name, perform(call, at: now)) }
    case .cancelWork: group.cancelAll()
    case .end(let end):
      chat.apply(.ended(end))
      await recorder?.keep(
        .ended(end, steps: chat.steps, calls: chat.callCount, chat.usage)
      )
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

  /// Asks, once that it asks is kept; and gives the answer on, once that is.
  private func ask(_ request: ModelRequest, at place: CurrentPlace) async -> ChatEvent {
    let step = place.value.step
    let cause: UInt64
    switch await announce(.stepBegan(step: step)) {
    case .success(let record): cause = record
    case .failure(let failure): return .modelFailed(failure.reason)
    }
    do {
      let answer = try await answer(request, place.takeTold())
      switch await announce(.answered(answer, step: step, cause: cause)) {
      case .success(let record): place.value.cause = record
      case .failure(let failure): return .modelFailed(failure.reason)
      }
      return .answered(answer)
    } catch is CancellationError {
      return .modelCancelled
    } catch {
      let reason = (error as? ProviderError)?.message ?? "\(error)"
      recorder?.note(.modelFailed(reason, step: step, cause: cause))
      return .modelFailed(reason)
    }
  }

  private func answer(_ request: ModelRequest, _ told: ShownText) async throws -> ModelAnswer {
    told.begin()
    let answer = try await model.answer(request) { event in
      if let event = told.next(event) { await publish(.init(event)) }
    }
    if let rest = told.end() { await publish(.init(rest)) }
    return answer
  }

  private func announce(_ record: ChatRecord) async -> Result<UInt64, NotKept> {
    guard let recorder else { return .success(0) }
    do {
      return .success(try await recorder.announce(record))
    } catch {
      return .failure(NotKept(reason: "\(error)"))
    }
  }

  private func perform(_ call: PlannedCall, at place: ChatPlace) async -> CallResult {
    switch call.action {
    case .run(let request): return await run(call, request, at: place)
    case .readOutput(let range): return await answer(call, shelf.read(range), at: place)
    case .refuse(let reason): return await answer(call, .refused(reason), at: place)
    }
  }

  /// The loop's own answer, without the workspace.
  private func answer(
    _ call: PlannedCall,
    _ result: CallResult,
    at place: ChatPlace
  ) async -> CallResult {
    await publish(.init(started: call, callID: call.name))
    await ended(call, result, id: "", at: place)
    return result
  }

  /// Followers hear of the result once it is kept: it is told once, however often we start.
  private func ended(
    _ call: PlannedCall,
    _ result: CallResult,
    id: String,
    at place: ChatPlace
  ) async {
    await recorder?.keep(.toolAnswered(result, tool: call.tool, use: call.name, id: id, place))
    await publish(.init(ended: result, callID: id.isEmpty ? call.name : id))
  }

  private func run(
    _ call: PlannedCall,
    _ request: ToolRequest,
    at place: ChatPlace
  ) async -> CallResult {
    let log = CallLog()
    var request = request
    request.use = call.name
    if recorder != nil { request.place = place }
    let exit = await tools.run(request) { event in
      log.record(event)
      if let update = ChatUpdate(event, of: call, callID: log.callID) { await publish(update) }
    }
    if log.callID.isEmpty { await publish(.init(started: call, callID: call.name)) }
    var output = log.output
    let result = ResultRendering.result(
      of: exit,
      tool: request.tool,
      call: call.name,
      output: &output
    )
    shelf.keep(output, of: call.name)
    await ended(call, result, id: log.callID, at: place)
    return result
  }

  private func publishStep(_ event: ChatEvent, _ chat: Chat) async {
    guard case .answered(let answer) = event else { return }
    await publish(.step(.init(step: chat.steps, usage: answer.usage)))
  }
}

/// Something could not be kept, and why, for people.
private struct NotKept: Error {
  let reason: String
}

/// Where the turn is: written by the one request to the model, read when calls begin.
private final class CurrentPlace: Sendable {
  private let place: Mutex<ChatPlace>
  private let told: Mutex<ShownText>

  init(_ place: ChatPlace, told: ShownText) {
    self.place = Mutex(place)
    self.told = Mutex(told)
  }

  /// What followers have of the answer that is asked for now; of the next one nothing.
  func takeTold() -> ShownText {
    told.withLock { told in
      defer { told = ShownText() }
      return told
    }
  }

  var value: ChatPlace {
    get { place.withLock { $0 } }
    set { place.withLock { $0 = newValue } }
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
      case .output(_, _, let bytes): state.output.append(bytes)
      case .gap(let count): state.output.append(Array("\n[\(count) bytes are lost]\n".utf8))
      }
    }
  }
}
