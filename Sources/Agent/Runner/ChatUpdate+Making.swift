internal import FoundationEssentials
package import Providers
package import Wire

extension ChatUpdate {
  init(_ event: ModelEvent) {
    switch event {
    case .text(let text):
      var delta = Gatehouse_Plane_V1_TextDelta()
      delta.text = text
      self = .text(delta)
    case .anew(let text):
      var delta = Gatehouse_Plane_V1_TextDelta()
      delta.text = text
      delta.anew = true
      self = .text(delta)
    case .retrying(let reason, let delay):
      var retrying = Gatehouse_Plane_V1_Retrying()
      retrying.reason = reason
      retrying.delayMs = UInt64(max(0, delay / .milliseconds(1)))
      self = .retrying(retrying)
    }
  }

  /// Who keeps the updates numbers the turns.
  package init(prompt: String) {
    var prompted = Gatehouse_Plane_V1_Prompted()
    prompted.text = prompt
    self = .prompted(prompted)
  }

  init?(_ event: ToolEvent, of call: PlannedCall, callID: String) {
    switch event {
    case .accepted: self.init(started: call, callID: callID)
    case .output(let stream, let offset, let bytes):
      var output = Gatehouse_Plane_V1_ToolOutput()
      output.callID = callID
      output.stream = stream
      output.data = Data(bytes)
      output.offset = offset
      self = .toolOutput(output)
    case .gap: return nil
    }
  }

  init(started call: PlannedCall, callID: String) {
    var started = Gatehouse_Plane_V1_ToolStarted()
    started.callID = callID
    started.tool = call.tool
    started.argumentsJson = call.arguments
    started.summary = call.summary
    self = .toolStarted(started)
  }

  package init(ended result: CallResult, callID: String) {
    var ended = Gatehouse_Plane_V1_ToolEnded()
    ended.callID = callID
    ended.outcome = result.outcome
    ended.code = result.code
    ended.error = result.error
    ended.diff = result.diff
    self = .toolEnded(ended)
  }
}

extension PlannedCall {
  /// One line for people.
  fileprivate var summary: String {
    switch action {
    case .run(let request): request.summary
    case .readOutput(let range): "read on in \(range.call) at \(range.offset)"
    case .refuse: Summary.line(arguments)
    }
  }
}

extension Gatehouse_Plane_V1_StepEnded {
  package init(step: Int, usage: ModelUsage) {
    self.init()
    self.step = UInt32(clamping: step)
    inputTokens = UInt64(clamping: usage.inputTokens)
    outputTokens = UInt64(clamping: usage.outputTokens)
  }
}

extension Gatehouse_Plane_V1_TurnEnded {
  package init(_ end: TurnEnd, of chat: Chat) {
    self.init()
    state = .init(end.state)
    reason = end.reason
    steps = UInt32(clamping: chat.steps)
    calls = UInt32(clamping: chat.callCount)
    inputTokens = UInt64(clamping: chat.usage.inputTokens)
    outputTokens = UInt64(clamping: chat.usage.outputTokens)
  }
}

extension Gatehouse_Plane_V1_ChatState {
  package init(_ state: ChatState) {
    self =
      switch state {
      case .working: .working
      case .needsApproval: .needsApproval
      case .needsInput: .needsInput
      case .completed: .completed
      case .interrupted: .interrupted
      case .failed: .failed
      }
  }
}
