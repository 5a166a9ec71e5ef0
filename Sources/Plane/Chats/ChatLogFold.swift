internal import Agent
internal import Wire

/// What the followers of a chat know, of what it takes to tell them nothing twice.
struct ChatLogFold: Sendable, Equatable {
  private(set) var turns: UInt64 = 0
  /// How the last turn ended; nil while it goes on.
  private(set) var end: Gatehouse_Plane_V1_TurnEnded?
  /// Answers told to their end, in this turn.
  private(set) var steps = 0
  /// The text of the answer that is on its way.
  private(set) var text = ""
  /// Of this turn's tools.
  private(set) var outputBytes = 0
  /// Calls that have started and not ended, with how far their outputs were told.
  private(set) var running: [String: [Gatehouse_Tools_V1_Stream: UInt64]] = [:]
  /// Those of this turn that have ended.
  private(set) var ended: Set<String> = []

  /// What of it is new; nil: nothing.
  func news(in update: ChatUpdate) -> ChatUpdate? {
    switch update {
    case .toolStarted(let call):
      return running[call.callID] == nil && !ended.contains(call.callID) ? update : nil
    case .toolEnded(let call): return ended.contains(call.callID) ? nil : update
    case .toolOutput(var output):
      let told = running[output.callID]?[output.stream] ?? 0
      guard output.offset < told else { return update }
      let known = told - output.offset
      guard known < output.data.count else { return nil }
      output.data = output.data.dropFirst(Int(known))
      output.offset = told
      return .toolOutput(output)
    default: return update
    }
  }

  mutating func take(_ update: ChatUpdate) {
    switch update {
    case .prompted(let prompt):
      self = ChatLogFold(turns: max(prompt.turn, turns + 1))
    case .text(let delta):
      // In place: an endpoint may send a byte at a time.
      if delta.anew { text = "" }
      text += delta.text
    case .retrying: break
    case .step:
      steps += 1
      text = ""
    case .toolStarted(let call): running[call.callID, default: [:]] = [:]
    case .toolOutput(let output):
      outputBytes += output.data.count
      let end = output.offset + UInt64(output.data.count)
      running[output.callID, default: [:]][output.stream] = end
    case .toolEnded(let call):
      running[call.callID] = nil
      ended.insert(call.callID)
    case .ended(let end): self.end = end
    }
  }

  init(turns: UInt64 = 0) { self.turns = turns }
}
