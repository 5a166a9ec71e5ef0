package import Providers

/// What a runner has to do for a chat.
package enum ChatEffect: Sendable, Equatable {
  /// Note `stepBegan`, then ask.
  case askModel(ModelRequest)
  /// Note `callBegan`, then perform.
  case perform(PlannedCall)
  /// Cancel the request and all calls, and wait until they have ended.
  case cancelWork
  /// Note `ended`; nothing runs any more.
  case end(TurnEnd)
}

/// A call to be performed.
package struct PlannedCall: Sendable, Equatable {
  /// `c1`, `c2`, … within the chat.
  package var name: String
  /// As the model named it.
  package var tool: String
  /// As the model wrote them.
  package var arguments: String
  package var action: PlannedAction
}

extension Chat {
  /// What is to be done now. Empty while waiting for what is under way.
  package func next() -> [ChatEffect] {
    guard state == .working else { return [] }
    if let ending { return isIdle ? [.end(ending)] : [.cancelWork] }
    if isModelAsked { return [] }
    if !calls.isEmpty { return callsToStart.map { .perform($0) } }
    if let end = boundReached { return [.end(end)] }
    return [.askModel(ModelRequest(messages: messages, tools: catalog.modelTools))]
  }

  /// Whether nothing is under way.
  private var isIdle: Bool { !isModelAsked && runningCount == 0 }

  private var runningCount: Int { calls.count { $0.phase == .running } }

  /// Calls of a turn that is to end, which an earlier process may have begun.
  var callsToEnd: [PlannedCall] { ending == nil ? [] : planned(atMost: calls.count) }

  private var callsToStart: [PlannedCall] {
    planned(atMost: bounds.maxParallelCalls - runningCount)
  }

  private func planned(atMost count: Int) -> [PlannedCall] {
    calls.filter { $0.phase == .planned }.prefix(count).map {
      PlannedCall(
        name: $0.name,
        tool: $0.model.tool,
        arguments: $0.model.arguments,
        action: $0.action
      )
    }
  }

  private var boundReached: TurnEnd? {
    if steps >= bounds.maxSteps {
      return TurnEnd(state: .failed, reason: "the turn reached its bound of \(steps) steps")
    }
    let tokens = usage.total
    guard tokens < bounds.maxTokens else {
      return TurnEnd(state: .failed, reason: "the turn reached its bound with \(tokens) tokens")
    }
    return nil
  }
}
