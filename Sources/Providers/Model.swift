/// A model that an agent can work with.
package protocol Model: Sendable {
  /// As a person or the provider calls it.
  var name: String { get }

  /// Asks for one answer. Text is delivered as it comes; tool calls only with the whole answer, so
  /// that a request may be repeated up to its end.
  ///
  /// - Throws: `ProviderError`, or `CancellationError` when the task was cancelled.
  func answer(
    _ request: ModelRequest,
    deliver: @Sendable (ModelEvent) async -> Void
  ) async throws -> ModelAnswer
}

/// A conversation so far, and what the model may do next.
package struct ModelRequest: Sendable, Equatable {
  package var messages: [ModelMessage]
  package var tools: [ModelTool]

  package init(messages: [ModelMessage], tools: [ModelTool]) {
    self.messages = messages
    self.tools = tools
  }
}

/// One message of a conversation.
package enum ModelMessage: Sendable, Equatable {
  case system(String)
  case user(String)
  case assistant(text: String, calls: [ModelCall])
  /// What came of a call.
  case result(callID: String, text: String)
}

/// A tool, as a model sees it.
package struct ModelTool: Sendable, Equatable {
  /// With dots, as everywhere in Gatehouse. Providers spell it as theirs demand.
  package var name: String
  package var description: String
  /// JSON Schema of its arguments.
  package var schema: JSON

  package init(name: String, description: String, schema: JSON) {
    self.name = name
    self.description = description
    self.schema = schema
  }
}

/// A model's wish to use a tool. Nothing about it has been checked.
package struct ModelCall: Sendable, Equatable {
  /// The provider's; empty when it gave none.
  package var id: String
  package var tool: String
  /// Should be a JSON object.
  package var arguments: String

  package init(id: String, tool: String, arguments: String) {
    self.id = id
    self.tool = tool
    self.arguments = arguments
  }
}

/// A whole answer.
package struct ModelAnswer: Sendable, Equatable {
  package var text: String
  package var calls: [ModelCall]
  /// Zero where the provider did not say.
  package var usage: ModelUsage
  package var finish: Finish

  package init(
    text: String = "",
    calls: [ModelCall] = [],
    usage: ModelUsage = ModelUsage(),
    finish: Finish = .done
  ) {
    self.text = text
    self.calls = calls
    self.usage = usage
    self.finish = finish
  }

  /// Why the model stopped.
  package enum Finish: Sendable, Equatable {
    case done
    /// Cut at the most tokens an answer may have.
    case length
    /// Withheld by the provider's filter.
    case filtered
  }
}

/// Tokens that a provider counted.
package struct ModelUsage: Sendable, Equatable {
  package var inputTokens = 0
  package var outputTokens = 0

  package init(inputTokens: Int = 0, outputTokens: Int = 0) {
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
  }

  /// Both together; `Int.max` when there are more.
  package var total: Int { Self.sum(inputTokens, outputTokens) }

  package static func += (usage: inout ModelUsage, more: ModelUsage) {
    usage.inputTokens = sum(usage.inputTokens, more.inputTokens)
    usage.outputTokens = sum(usage.outputTokens, more.outputTokens)
  }

  /// Models are not ours: what they count may be anything. Below zero counts as nothing.
  private static func sum(_ some: Int, _ more: Int) -> Int {
    let (sum, isTooMuch) = max(0, some).addingReportingOverflow(max(0, more))
    return isTooMuch ? .max : sum
  }
}

/// What happens while an answer is on its way.
package enum ModelEvent: Sendable, Equatable {
  /// What comes next of the answer.
  case text(String)
  /// The answer from its beginning, in place of the text so far: a repeated attempt said something
  /// else.
  case anew(String)
  /// The attempt failed and is repeated after `delay`. Of the text so far nothing comes again, unless
  /// it comes `anew`.
  case retrying(reason: String, delay: Duration)
}
