/// Puts a streamed answer together: the data of events in, text out, a whole answer at the end.
///
/// Takes what servers are known to do: no ids, no index, index 0 for each of several calls,
/// arguments as an object, no usage, no `[DONE]`.
struct OpenAIAnswer {
  /// The most text and arguments of one answer, bytes.
  private static let maxBytes = 4 * 1024 * 1024
  private static let maxCalls = 128

  private let endpoint: ModelEndpoint
  private var answer = ModelAnswer()
  private var calls: [PartialCall] = []
  private var bytes = 0
  private var sawAnything = false
  private var sawFinish = false

  /// After `[DONE]`.
  private(set) var isComplete = false

  init(endpoint: ModelEndpoint) { self.endpoint = endpoint }

  /// - Returns: the text that the event adds.
  /// - Throws: `garbage`, `reported` or `tooLarge`.
  mutating func receive(_ data: String) throws(ProviderError) -> String {
    guard data != "[DONE]" else {
      isComplete = true
      return ""
    }
    let event = try parse(data)
    if let error = event["error"], error != .null { throw endpoint.reported(error) }
    sawAnything = true
    readUsage(event["usage"])
    guard let choice = event["choices"]?.array?.first else { return "" }
    readFinish(choice["finish_reason"])
    guard let delta = choice["delta"] else { return "" }
    for call in delta["tool_calls"]?.array ?? [] { try add(call) }
    let text = delta["content"]?.string ?? ""
    try count(text)
    answer.text += text
    return text
  }

  /// The whole answer, at the stream's end; `cutEvent` when it ended within an event.
  ///
  /// - Throws: `cut` or `empty` when the answer isn't whole.
  func finish(cutEvent: Bool, names: OpenAIToolNames) throws(ProviderError) -> ModelAnswer {
    guard isComplete || sawFinish else {
      if cutEvent { throw endpoint.failure(.cut, "ended within an event", isPassing: true) }
      if sawAnything { throw endpoint.failure(.cut, "ended before its answer", isPassing: true) }
      throw endpoint.failure(.empty, "answered with nothing", isPassing: true)
    }
    var answer = answer
    answer.calls = calls.map {
      ModelCall(id: $0.id, tool: names.original(of: $0.name), arguments: $0.argumentsOrNone)
    }
    return answer
  }

  private func parse(_ data: String) throws(ProviderError) -> JSON {
    let json = try? JSON(parsing: data)
    guard let json, json.members != nil else {
      throw endpoint.failure(.garbage, "sent an event that is no JSON object")
    }
    return json
  }

  private mutating func readUsage(_ usage: JSON?) {
    if let count = Self.tokens(usage?["prompt_tokens"]) { answer.usage.inputTokens = count }
    if let count = Self.tokens(usage?["completion_tokens"]) { answer.usage.outputTokens = count }
  }

  /// A count that can be: none of a negative or absurd one, as if the provider had not said.
  private static func tokens(_ count: JSON?) -> Int? {
    count?.integer.flatMap { (0...1 << 40).contains($0) ? $0 : nil }
  }

  private mutating func readFinish(_ reason: JSON?) {
    guard let reason = reason?.string else { return }
    sawFinish = true
    switch reason {
    case "length": answer.finish = .length
    case "content_filter": answer.finish = .filtered
    default: answer.finish = .done
    }
  }

  private mutating func add(_ delta: JSON) throws(ProviderError) {
    let function = delta["function"]
    let name = function?["name"]?.string ?? ""
    let id = delta["id"]?.string ?? ""
    let position = try position(index: delta["index"]?.integer, id: id, name: name)
    let arguments = Self.arguments(function?["arguments"])
    try count(arguments)
    try count(id + name)
    if calls[position].id.isEmpty { calls[position].id = id }
    if calls[position].name.isEmpty { calls[position].name = name }
    calls[position].arguments += arguments
  }

  /// The place of the call that a delta belongs to, made if there is none.
  private mutating func position(
    index: Int?,
    id: String,
    name: String
  ) throws(ProviderError) -> Int {
    let known = index.map { index in calls.lastIndex { $0.index == index } } ?? calls.indices.last
    if let known = known {
      let isAnother = !name.isEmpty && !id.isEmpty && id != calls[known].id
      if !isAnother && !(index == nil && !name.isEmpty && id.isEmpty) { return known }
    }
    guard calls.count < Self.maxCalls else {
      throw endpoint.failure(.tooLarge, "asked for more than \(Self.maxCalls) tool calls at once")
    }
    calls.append(PartialCall(index: index))
    return calls.count - 1
  }

  private static func arguments(_ json: JSON?) -> String {
    switch json {
    case .string(let text): text
    case .object: json?.text ?? ""
    default: ""
    }
  }

  private mutating func count(_ text: String) throws(ProviderError) {
    bytes += text.utf8.count
    guard bytes <= Self.maxBytes else {
      throw endpoint.failure(.tooLarge, "sent an answer above \(Self.maxBytes) bytes")
    }
  }

  private struct PartialCall {
    let index: Int?
    var id = ""
    var name = ""
    var arguments = ""

    /// A tool without parameters is often called with nothing at all.
    var argumentsOrNone: String { arguments.isEmpty ? "{}" : arguments }
  }
}
