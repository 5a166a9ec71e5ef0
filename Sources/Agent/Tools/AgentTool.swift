internal import Providers

/// A tool as the agent has it: what the model is told, and what becomes of the model's arguments.
struct AgentTool: Sendable {
  let name: String
  let description: String
  let parameters: [Parameter]
  let plan: @Sendable (ToolArguments) throws(ToolArgumentError) -> PlannedAction

  /// One argument, with the JSON Schema of its value.
  struct Parameter: Sendable {
    let name: String
    let schema: JSON
    var isRequired = false
  }

  var modelTool: ModelTool {
    ModelTool(
      name: name,
      description: description,
      schema: [
        "type": "object",
        "properties": .object(parameters.map { JSON.Member($0.name, $0.schema) }),
        "required": .array(parameters.filter(\.isRequired).map { .string($0.name) }),
        "additionalProperties": false,
      ]
    )
  }
}

/// What a model's call comes to.
package enum PlannedAction: Sendable, Equatable {
  /// A tool of the workspace.
  case run(ToolRequest)
  /// The loop's own: more of a result that was clipped.
  case readOutput(OutputRange)
  /// Goes back to the model as a tool error.
  case refuse(String)
}

/// A call for a workspace.
package struct ToolRequest: Sendable, Equatable {
  package var tool: String
  /// The tool's request message, encoded.
  package var request: [UInt8]
  /// The call's deadline, from its acceptance.
  package var timeout: Duration
  /// One line for people.
  package var summary: String
  /// The chat's name for the call: the same one is the same call, also for a later process.
  package var use = ""
  /// Where in the chat it comes from; nil: nothing keeps that.
  package var place: ChatPlace?
}

/// Bytes of an earlier result.
package struct OutputRange: Sendable, Equatable {
  /// The call's short name, as the clipped result gave it.
  package var call: String
  package var offset: Int
  package var maxBytes: Int
}
