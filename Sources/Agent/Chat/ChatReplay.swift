package import Providers

/// A chat told again from its records, to the moment at which they end.
package struct ChatReplay: Sendable {
  package private(set) var chat: Chat
  /// Where its last turn is.
  package private(set) var place = ChatPlace(step: 0, cause: 0)
  /// Turns that have begun, and what was asked in the last.
  package private(set) var turns = 0
  package private(set) var prompt: String?
  /// The answer that the last turn waits for was asked for by this record; nil: it waits for none.
  package private(set) var unanswered: UInt64?
  /// Of the last turn.
  package private(set) var answers: [ModelAnswer] = []
  package private(set) var results: [Result] = []
  package private(set) var end: TurnEnd?

  /// What became of a call.
  package struct Result: Sendable, Equatable {
    package let tool: String
    /// The chat's name for it.
    package let use: String
    /// The plane's; empty: there was none.
    package let id: String
    package let result: CallResult

    /// As followers know it.
    package var call: String { id.isEmpty ? use : id }
  }

  /// A record that cannot come where it came.
  package struct Mismatch: Error, Equatable {
    package let number: UInt64

    package init(number: UInt64) { self.number = number }
  }

  package init(_ chat: Chat) { self.chat = chat }

  /// Takes in the next record, `number`.
  ///
  /// - Throws: when it cannot follow those before; the chat is as it was.
  package mutating func apply(_ record: ChatRecord, number: UInt64) throws(Mismatch) {
    // Of a turn whose prompt could not be kept an end was, once.
    if case .ended = record, chat.state != .working { return }
    if case .prompted = record {} else if chat.state != .working { throw Mismatch(number: number) }
    switch record {
    case .prompted(let text):
      guard chat.state != .working else { throw Mismatch(number: number) }
      turns += 1
      prompt = text
      (answers, results, end, unanswered) = ([], [], nil, nil)
      place = ChatPlace(step: 0, cause: number)
      chat.apply(.asked(text))
    case .stepBegan(let step):
      place.step = step
      unanswered = number
      chat.apply(.stepBegan)
    case .answered(let answer, _, _):
      place.cause = number
      unanswered = nil
      answers.append(answer)
      chat.apply(.answered(answer))
    case .modelFailed(let reason, _, _):
      unanswered = nil
      chat.apply(.modelFailed(reason))
    case .modelCut:
      unanswered = nil
      chat.apply(.modelCancelled)
    case .toolAnswered(let result, let tool, let use, let id, _):
      results.append(Result(tool: tool, use: use, id: id, result: result))
      chat.apply(.callBegan(use))
      chat.apply(.callEnded(use, result))
    case .stopAsked: chat.apply(.stopAsked)
    case .ended(let end, _, _, _):
      unanswered = nil
      self.end = end
      chat.apply(.ended(end))
    }
  }

  /// The answer that was on its way is not to come: it is asked for again.
  package mutating func giveUpAnswer() {
    unanswered = nil
    chat.apply(.modelCancelled)
  }
}
