package import Providers

/// What happens in a chat. A chat is the fold of these.
package enum ChatEvent: Sendable, Equatable {
  /// A person's message: a turn begins.
  case asked(String)
  /// A request goes to the model.
  case stepBegan
  case answered(ModelAnswer)
  /// The model gave no answer, for good; why.
  case modelFailed(String)
  /// The request to the model was cancelled.
  case modelCancelled
  /// A call was handed on, by its short name.
  case callBegan(String)
  /// A call is over and nothing of it runs any more.
  case callEnded(String, CallResult)
  /// A person stops the turn.
  case stopAsked
  /// The turn's time is up.
  case timeExpired
  case ended(TurnEnd)
}

/// How a turn ended.
package struct TurnEnd: Sendable, Equatable {
  package var state: ChatState
  /// For people; empty when completed.
  package var reason = ""

  package init(state: ChatState, reason: String = "") {
    self.state = state
    self.reason = reason
  }
}

/// What a chat needs.
package enum ChatState: Sendable, Equatable {
  case working
  case needsApproval
  case needsInput
  case completed
  case interrupted
  case failed
}

/// What one turn may use.
package struct TurnBounds: Sendable, Equatable {
  /// Requests to the model.
  package var maxSteps = 50
  /// Sent and received, of all steps.
  package var maxTokens = 4_000_000
  package var maxTime: Duration = .seconds(30 * 60)
  /// Calls at the same time.
  package var maxParallelCalls = 8

  package init() {}
}
