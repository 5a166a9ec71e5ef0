package import Providers

/// A conversation with an agent: a fold of its events, without I/O.
///
///     asked ─▶ step: model asked ─answered─▶ calls run ─all ended─▶ next step
///                       │                        │
///                       └─ no calls: completed   └─ stop, time: cancel; ends when nothing runs
package struct Chat: Sendable {
  package let bounds: TurnBounds
  package let catalog: ToolCatalog

  package private(set) var state = ChatState.needsInput
  package private(set) var messages: [ModelMessage]
  /// Of this turn.
  package private(set) var steps = 0
  package private(set) var callCount = 0
  package private(set) var usage = ModelUsage()

  /// How the turn will end once nothing of it runs any more.
  private(set) var ending: TurnEnd?
  private(set) var isModelAsked = false
  /// The step's calls, in the model's order.
  private(set) var calls: [TurnCall] = []
  private var callsMade = 0
  /// Of all its calls: a result names its call by this alone.
  private var callIDs: Set<String> = []

  package init(
    instructions: String,
    catalog: ToolCatalog = ToolCatalog(),
    bounds: TurnBounds = TurnBounds()
  ) {
    self.bounds = bounds
    self.catalog = catalog
    messages = [.system(instructions)]
  }

  /// A call of the model's, on its way.
  struct TurnCall: Sendable, Equatable {
    /// `c1`, `c2`, … within the chat.
    let name: String
    /// As the model knows it.
    let id: String
    let model: ModelCall
    let action: PlannedAction
    var phase = Phase.planned

    enum Phase: Sendable, Equatable {
      case planned
      case running
      case ended(String)
    }
  }

  /// Takes in what happened. Events that no longer matter change nothing.
  package mutating func apply(_ event: ChatEvent) {
    switch event {
    case .asked(let prompt): begin(prompt)
    case .stepBegan:
      steps += 1
      isModelAsked = true
    case .answered(let answer): take(answer)
    case .modelFailed(let reason):
      isModelAsked = false
      end(.failed, reason)
    case .modelCancelled: isModelAsked = false
    case .callBegan(let name): change(name) { $0.phase = .running }
    case .callEnded(let name, let result):
      change(name) { $0.phase = .ended(result.text) }
      finishStep()
    case .stopAsked: end(.interrupted, "stopped")
    case .timeExpired:
      end(.failed, "the turn took longer than \(bounds.maxTime.components.seconds) s")
    case .ended(let end):
      state = end.state
      ending = nil
      dropCalls()
    }
  }

  private mutating func begin(_ prompt: String) {
    precondition(state != .working, "a turn begins within another")
    state = .working
    ending = nil
    (steps, callCount, usage) = (0, 0, ModelUsage())
    messages.append(.user(prompt))
  }

  private mutating func take(_ answer: ModelAnswer) {
    isModelAsked = false
    usage += answer.usage
    guard ending == nil else {
      // Its calls are not made, but have names: told again, the answer may come before the stop.
      callsMade += answer.calls.count
      return
    }
    calls = answer.calls.map { makeCall($0) }
    callCount += calls.count
    let named = calls.map {
      ModelCall(id: $0.id, tool: $0.model.tool, arguments: $0.model.arguments)
    }
    messages.append(.assistant(text: answer.text, calls: named))
    if calls.isEmpty { endAnswered(answer) }
  }

  /// The model has no more to do, or could not say it.
  private mutating func endAnswered(_ answer: ModelAnswer) {
    switch answer.finish {
    case .done where answer.text.isEmpty: end(.failed, "the model answered with nothing; ask again")
    case .done: end(.completed, "")
    case .length: end(.failed, "the model's answer was cut at its greatest length; ask for less")
    case .filtered: end(.failed, "the provider's filter withheld the answer")
    }
  }

  /// Gives the call a name, and an id that is the chat's only one.
  private mutating func makeCall(_ call: ModelCall) -> TurnCall {
    callsMade += 1
    let name = "c\(callsMade)"
    var id = call.id.isEmpty ? "gatehouse_\(name)" : call.id
    while !callIDs.insert(id).inserted { id = "gatehouse_\(name)_\(callIDs.count)" }
    return TurnCall(
      name: name,
      id: id,
      model: call,
      action: catalog.plan(call)
    )
  }

  private mutating func change(_ name: String, _ change: (inout TurnCall) -> Void) {
    guard let index = calls.firstIndex(where: { $0.name == name }) else { return }
    change(&calls[index])
  }

  /// Hands the results to the model when the last call has ended.
  private mutating func finishStep() {
    var results: [ModelMessage] = []
    for call in calls {
      guard case .ended(let text) = call.phase else { return }
      results.append(.result(callID: call.id, text: text))
    }
    messages += results
    calls = []
  }

  /// Gives every call of a broken-off step a result: a model's call without one is malformed.
  private mutating func dropCalls() {
    messages += calls.map { call in
      if case .ended(let text) = call.phase { return .result(callID: call.id, text: text) }
      return .result(callID: call.id, text: "error: not run, since the turn was stopped")
    }
    calls = []
  }

  private mutating func end(_ state: ChatState, _ reason: String) {
    guard self.state == .working, ending == nil else { return }
    ending = TurnEnd(state: state, reason: reason)
  }
}
