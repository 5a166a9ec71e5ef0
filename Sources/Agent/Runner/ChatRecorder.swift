package import Providers

/// Keeps what happens in a chat beyond the process, in order.
package protocol ChatRecorder: Sendable {
  /// Keeps what is about to happen, or what others will come from, and returns when it is durable.
  ///
  /// - Returns: the record's number.
  /// - Throws: when it cannot be kept; then it must not happen. The error's text is for people.
  func announce(_ record: ChatRecord) async throws -> UInt64
  /// Keeps what has happened, and returns when it is durable; at once while nothing can be written.
  func keep(_ record: ChatRecord) async
  /// Keeps what has happened; nobody waits for it.
  func note(_ record: ChatRecord)
}

/// What is kept of a chat: with these it could be told again.
package enum ChatRecord: Sendable, Equatable {
  /// A person's message.
  case prompted(String)
  /// A request is about to go to the model.
  case stepBegan(step: Int)
  case answered(ModelAnswer, step: Int, cause: UInt64)
  case modelFailed(String, step: Int, cause: UInt64)
  /// The process ended in the middle of an answer; with its text so far. It is asked for again.
  case modelCut(String, step: Int, cause: UInt64)
  /// What the model is told of a call. `use`: its name in the chat; `id`: the plane's, or empty.
  case toolAnswered(CallResult, tool: String, use: String, id: String, ChatPlace)
  /// A person wants the turn to end.
  case stopAsked
  case ended(TurnEnd, steps: Int, calls: Int, ModelUsage)
}

/// Which step of a turn something belongs to, and which record it comes from.
package struct ChatPlace: Sendable, Equatable {
  /// From 1.
  package var step: Int
  /// 0: nothing keeps records.
  package var cause: UInt64

  package init(step: Int, cause: UInt64) {
    self.step = step
    self.cause = cause
  }
}
