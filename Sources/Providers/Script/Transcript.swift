/// What a `ScriptModel` plays: steps, each with one or more ways to go on.
///
/// ```json
/// {"pace_ms": 20, "steps": [
///   {"text": "I run the tests.", "calls": [{"tool": "process.shell", "arguments": {"script": "…"}}]},
///   {"choices": [{"if_result": "FAILED", "text": "One fails."}, {"text": "All pass."}]}
/// ]}
/// ```
package struct Transcript: Sendable, Equatable {
  var name: String
  /// Between words.
  var pace: Duration
  var steps: [Step]

  /// A step plays the first of its choices that fits.
  struct Step: Sendable, Equatable {
    var choices: [Choice]
  }

  struct Choice: Sendable, Equatable {
    /// A text that one of the results since the last answer must contain; `nil`: always fits.
    var ifResult: String?
    var text: String
    var calls: [ModelCall]
  }

  /// - Throws: `transcript`, naming the step at fault.
  package init(parsing text: String) throws(ProviderError) {
    let json: JSON
    do throws(JSONError) {
      json = try JSON(parsing: text, duplicateKeys: .refuse)
    } catch {
      throw ProviderError(.transcript, "the transcript is no JSON: \(error)")
    }
    guard let steps = json["steps"]?.array, !steps.isEmpty else {
      throw ProviderError(.transcript, "the transcript has no 'steps'")
    }
    name = json["name"]?.string ?? "script"
    pace = .milliseconds(min(max(0, json["pace_ms"]?.integer ?? 0), 60_000))
    self.steps = []
    for (index, step) in steps.enumerated() {
      self.steps.append(try Step(step, number: index + 1))
    }
  }
}

extension Transcript.Step {
  fileprivate init(_ json: JSON, number: Int) throws(ProviderError) {
    choices = []
    for choice in json["choices"]?.array ?? [json] {
      choices.append(try Transcript.Choice(choice, number: number))
    }
  }
}

extension Transcript.Choice {
  fileprivate init(_ json: JSON, number: Int) throws(ProviderError) {
    guard json.members != nil else {
      throw ProviderError(.transcript, "step \(number) of the transcript is \(json.kind)")
    }
    ifResult = json["if_result"]?.string
    text = json["text"]?.string ?? ""
    calls = []
    for (index, call) in (json["calls"]?.array ?? []).enumerated() {
      guard let tool = call["tool"]?.string else {
        throw ProviderError(.transcript, "a call in step \(number) of the transcript has no 'tool'")
      }
      // A string stands as it is, so that a transcript can have malformed arguments.
      let arguments = call["arguments"] ?? [:]
      calls.append(
        ModelCall(
          id: "script_\(number)_\(index + 1)",
          tool: tool,
          arguments: arguments.string ?? arguments.text
        )
      )
    }
  }
}
