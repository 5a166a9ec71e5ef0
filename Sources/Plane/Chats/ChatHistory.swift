internal import Agent
internal import Identity
internal import Ledger
internal import Providers
internal import SwiftProtobuf
internal import Wire

/// A chat as the ledger has it.
struct ChatHistory: Sendable {
  private(set) var replay: ChatReplay
  /// Who asked last; nil: nobody yet.
  private(set) var owner: Principal?
  /// The last turn's first event: its number, and when it was (microseconds since 1970).
  private(set) var prompt: (number: UInt64, time: Int64) = (0, 0)
  /// When its last event was, likewise.
  private var last: Int64 = 0
  /// How long the last turn has been at work: what no plane was there for is none of its time.
  var elapsed: Duration { .microseconds(max(0, last - prompt.time)) }

  /// Its first event.
  private(set) var start: EventHeader?
  private(set) var model = ""

  /// Why a chat cannot be told again.
  struct Unreadable: Error, CustomStringConvertible {
    let description: String
  }

  init() {
    replay = ChatReplay(Chat(instructions: Instructions.standard))
  }

  /// - Throws: `Unreadable`; `LedgerError`.
  static func read(_ chat: String, from ledger: Ledger) async throws -> ChatHistory {
    var history = ChatHistory()
    for event in try await ledger.events(ofChat: chat) { try history.take(event) }
    return history
  }

  private mutating func take(_ event: LedgerEvent) throws(Unreadable) {
    let header = event.header
    guard header.kind.isKnown else {
      throw Unreadable(description: "event \(header.sequence) is of a newer gatehouse")
    }
    guard EventKind.ofChats.contains(header.kind) else { return }
    last = header.time
    let body = try Self.body(event)
    if case .chatStarted(let started) = body {
      (start, model) = (header, started.model)
      let catalog = started.tools.isEmpty ? ToolCatalog() : ToolCatalog(available: started.tools)
      replay = ChatReplay(Chat(instructions: Instructions.standard, catalog: catalog))
      return
    }
    guard let record = ChatRecord(body, header) else { return }
    do throws(ChatReplay.Mismatch) {
      try replay.apply(record, number: header.sequence)
    } catch {
      throw Unreadable(description: "event \(header.sequence) does not fit those before")
    }
    if case .prompted = record {
      prompt = (header.sequence, header.time)
      owner = header.principal.flatMap { Principal($0) }
    }
  }

  private static func body(
    _ event: LedgerEvent
  ) throws(Unreadable) -> Gatehouse_Ledger_V1_Body.OneOf_Kind? {
    switch event.body {
    case .bytes(let bytes):
      guard let body = try? Gatehouse_Ledger_V1_Body(serializedBytes: bytes) else { break }
      return body.kind
    case .erased: throw Unreadable(description: "it was erased")
    case .none, .unreadable: break
    }
    throw Unreadable(description: "event \(event.header.sequence) cannot be read")
  }
}

extension EventKind {
  fileprivate static let ofChats: Set<EventKind> = [
    .chatStarted, .chatPrompted, .stepBegun, .modelAnswered, .modelFailed, .modelCut, .toolAnswered,
    .chatEnded, .chatStopAsked,
  ]
}

extension ChatRecord {
  /// What an event of a chat says; nil: nothing that its fold needs.
  fileprivate init?(_ body: Gatehouse_Ledger_V1_Body.OneOf_Kind?, _ header: EventHeader) {
    let step = Int(clamping: header.step)
    switch body {
    case .chatPrompted(let prompted): self = .prompted(prompted.prompt)
    case .stepBegun: self = .stepBegan(step: step)
    case .modelAnswered(let answered):
      self = .answered(ModelAnswer(answered), step: step, cause: header.cause)
    case .modelFailed(let failed):
      self = .modelFailed(failed.reason, step: step, cause: header.cause)
    case .modelCut(let cut): self = .modelCut(cut.text, step: step, cause: header.cause)
    case .toolAnswered(let answered):
      let result = CallResult(
        text: answered.result,
        outcome: answered.outcome,
        code: answered.code,
        error: answered.error
      )
      let place = ChatPlace(step: step, cause: header.cause)
      self = .toolAnswered(
        result,
        tool: answered.name,
        use: answered.use,
        id: header.call,
        place
      )
    case .chatStopAsked: self = .stopAsked
    case .chatEnded(let ended):
      let end = TurnEnd(state: ChatState(recorded: ended.state), reason: ended.reason)
      let usage = ModelUsage(
        inputTokens: Int(clamping: ended.inputTokens),
        outputTokens: Int(clamping: ended.outputTokens)
      )
      self = .ended(
        end,
        steps: Int(clamping: ended.steps),
        calls: Int(clamping: ended.calls),
        usage
      )
    default: return nil
    }
  }
}

extension ModelAnswer {
  fileprivate init(_ answered: Gatehouse_Ledger_V1_ModelAnswered) {
    let finish: Finish =
      switch answered.stop {
      case "length": .length
      case "filtered": .filtered
      default: .done
      }
    self.init(
      text: answered.text,
      calls: answered.tools.map {
        ModelCall(id: $0.id, tool: $0.name, arguments: $0.argumentsJson)
      },
      usage: ModelUsage(
        inputTokens: Int(clamping: answered.inputTokens),
        outputTokens: Int(clamping: answered.outputTokens)
      ),
      finish: finish
    )
  }
}

extension ChatState {
  /// As `ChatEnded.state` has it.
  fileprivate init(recorded text: String) {
    switch text {
    case "completed": self = .completed
    case "interrupted": self = .interrupted
    case "needsInput": self = .needsInput
    case "needsApproval": self = .needsApproval
    default: self = .failed
    }
  }
}
