internal import Agent
internal import Identity
internal import Ledger
internal import Providers
internal import SwiftProtobuf
internal import Synchronization
internal import Wire

/// Keeps one chat in the ledger, its content below the chat's own key.
///
/// Once `suspend`ed it keeps nothing more: what a stopping plane does to a turn is not the turn's.
final class ChatRecords: ChatRecorder {
  private let recorder: Recorder
  let chat: String
  private let workspace: String
  private let owner: EventPrincipal
  private struct State {
    /// The number of the prompt's event.
    var prompt: UInt64 = 0
    /// The chat's turn, from 1.
    var turn: UInt64 = 0
    var isSuspended = false
  }
  private let state: Mutex<State>

  /// `turns`: those that there were; `prompt`: the number of the last one's first record.
  init(
    _ recorder: Recorder,
    chat: String,
    workspace: String,
    for principal: Principal,
    turns: UInt64 = 0,
    prompt: UInt64 = 0
  ) {
    self.recorder = recorder
    self.chat = chat
    self.workspace = workspace
    owner = EventPrincipal(principal)
    state = Mutex(State(prompt: prompt, turn: turns))
  }

  /// Which turn it is, from 1; 0 before the first.
  var turn: UInt64 { state.withLock { $0.turn } }

  var isSuspended: Bool { state.withLock { $0.isSuspended } }

  func suspend() { state.withLock { $0.isSuspended = true } }

  /// Keeps that there is a chat.
  ///
  /// - Throws: `unavailable`.
  func begin(
    model: String,
    workspaceName: String,
    tools: [String]
  ) async throws(PlaneError) {
    let event = event(.chatStarted, by: owner) {
      $0.chatStarted = .with {
        $0.model = model
        $0.workspaceName = workspaceName
        $0.tools = tools
      }
    }
    try await recorder.announce(event)
  }

  func announce(_ record: ChatRecord) async throws -> UInt64 {
    if case .prompted = record { state.withLock { $0.turn += 1 } }
    try checkNotSuspended()
    let number = try await recorder.announce(event(of: record))
    if case .prompted = record { state.withLock { $0.prompt = number } }
    return number
  }

  func keep(_ record: ChatRecord) async {
    // While nothing can be written it waits with what has happened.
    guard (try? await announce(record)) == nil else { return }
    note(record)
  }

  func note(_ record: ChatRecord) {
    guard (try? checkNotSuspended()) != nil else { return }
    let event = event(of: record)
    recorder.record { event }
  }

  private func checkNotSuspended() throws(PlaneError) {
    guard state.withLock({ !$0.isSuspended }) else {
      throw PlaneError(.unavailable, "the plane is stopping; the turn goes on with the next one")
    }
  }

  private func event(of record: ChatRecord) -> RecordedEvent {
    switch record {
    case .prompted(let text):
      return event(.chatPrompted, by: owner) { $0.chatPrompted.prompt = text }
    case .stepBegan(let step):
      let cause = state.withLock { $0.prompt }
      return plane(.stepBegun, step, cause) { $0.stepBegun = .init() }
    case .answered(let answer, let step, let cause):
      return plane(.modelAnswered, step, cause) { $0.modelAnswered = .init(answer) }
    case .modelFailed(let reason, let step, let cause):
      return plane(.modelFailed, step, cause) { $0.modelFailed.reason = reason }
    case .modelCut(let text, let step, let cause):
      return plane(.modelCut, step, cause) { $0.modelCut.text = text }
    case .stopAsked: return event(.chatStopAsked, by: owner) { $0.chatStopAsked = .init() }
    case .toolAnswered(let result, let tool, let use, let id, let place):
      var event = plane(.toolAnswered, place.step, place.cause) {
        $0.toolAnswered = .with {
          $0.name = tool
          $0.result = result.text
          $0.isError = !result.error.isEmpty
          $0.use = use
          $0.outcome = result.outcome
          $0.code = result.code
          $0.error = result.error
        }
      }
      event.header.call = id
      return event
    case .ended(let end, let steps, let calls, let usage):
      return plane(.chatEnded, 0, state.withLock { $0.prompt }) {
        $0.chatEnded = .with {
          $0.state = "\(end.state)"
          $0.reason = end.reason
          $0.steps = UInt64(clamping: steps)
          $0.calls = UInt64(clamping: calls)
          $0.inputTokens = UInt64(clamping: usage.inputTokens)
          $0.outputTokens = UInt64(clamping: usage.outputTokens)
        }
      }
    }
  }

  /// What the plane does for the chat's owner.
  private func plane(
    _ kind: EventKind,
    _ step: Int,
    _ cause: UInt64,
    _ change: (inout Recorder.Body) -> Void
  ) -> RecordedEvent {
    var event = event(kind, by: recorder.plane, change)
    event.header.onBehalfOf = owner
    event.header.step = UInt64(clamping: step)
    event.header.cause = cause
    return event
  }

  private func event(
    _ kind: EventKind,
    by principal: EventPrincipal,
    _ change: (inout Recorder.Body) -> Void
  ) -> RecordedEvent {
    var event = RecordedEvent(kind, by: principal, in: workspace, change)
    event.header.chat = chat
    event.header.turn = turn
    event.scope = .chat(chat)
    return event
  }
}

extension Gatehouse_Ledger_V1_ModelAnswered {
  fileprivate init(_ answer: ModelAnswer) {
    self.init()
    text = answer.text
    tools = answer.calls.map { call in
      .with {
        $0.id = call.id
        $0.name = call.tool
        $0.argumentsJson = call.arguments
      }
    }
    inputTokens = UInt64(clamping: answer.usage.inputTokens)
    outputTokens = UInt64(clamping: answer.usage.outputTokens)
    stop = "\(answer.finish)"
  }
}
