/// A request as the chat completions API takes it.
struct OpenAIRequest {
  let json: JSON

  init(_ request: ModelRequest, model: String, names: OpenAIToolNames) {
    var members: [JSON.Member] = [
      .init("model", .string(model)),
      .init("stream", true),
      .init("stream_options", ["include_usage": true]),
      .init("messages", .array(request.messages.map(Self.message))),
    ]
    if !request.tools.isEmpty {
      members.append(.init("tools", .array(request.tools.map(Self.tool))))
    }
    json = .object(members)
  }

  private static func tool(_ tool: ModelTool) -> JSON {
    [
      "type": "function",
      "function": [
        "name": .string(OpenAIToolNames.spelled(tool.name)),
        "description": .string(tool.description), "parameters": tool.schema,
      ],
    ]
  }

  private static func message(_ message: ModelMessage) -> JSON {
    switch message {
    case .system(let text): return ["role": "system", "content": .string(text)]
    case .user(let text): return ["role": "user", "content": .string(text)]
    case .assistant(let text, let calls):
      guard !calls.isEmpty else { return ["role": "assistant", "content": .string(text)] }
      return [
        "role": "assistant", "content": text.isEmpty ? .null : .string(text),
        "tool_calls": .array(calls.map(call)),
      ]
    case .result(let id, let text):
      return ["role": "tool", "tool_call_id": .string(id), "content": .string(text)]
    }
  }

  private static func call(_ call: ModelCall) -> JSON {
    // Some servers refuse a whole history for one call whose arguments are no object.
    let isObject = (try? JSON(parsing: call.arguments))?.members != nil
    return [
      "id": .string(call.id), "type": "function",
      "function": [
        "name": .string(OpenAIToolNames.spelled(call.tool)),
        "arguments": .string(isObject ? call.arguments : "{}"),
      ],
    ]
  }
}
