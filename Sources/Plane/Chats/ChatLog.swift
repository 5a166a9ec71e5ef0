internal import Agent
internal import Logging
internal import SwiftProtobuf
internal import Synchronization
internal import Wire

/// What happened in a chat, for those who follow: numbered from 1, without holes.
///
/// Beyond `maxOutputBytes` a turn's output of tools is left out. It is in the calls' own logs, and the
/// model has its part of it. The rest is bounded by the turn's steps and tokens; `Chats` bounds all.
/// What is told of a call that was told already, since a later process reads it from its start, is
/// left out too.
final class ChatLog: Sendable {
  static let maxOutputBytes = 8 << 20

  private struct State {
    var events: [Gatehouse_Plane_V1_FollowChatResponse] = []
    var fold = ChatLogFold()
    var keptBytes = 0
    /// A turn goes on, or is about to begin.
    var isWorking = true
    var isSuspended = false
    var spool: ChatSpool?
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var lastWaiter = 0
  }

  private let state: Mutex<State>

  /// - Parameters:
  ///   - events: those of before, numbered from 1.
  ///   - turns: those before, of which nothing is told.
  ///   - spool: keeps all that comes; nil: memory only.
  init(
    _ events: [Gatehouse_Plane_V1_FollowChatResponse] = [],
    turns: UInt64 = 0,
    spool: ChatSpool? = nil
  ) {
    var state = State(events: events, fold: ChatLogFold(turns: turns), spool: spool)
    for case let update? in events.map(\.event) {
      state.fold.take(update)
      state.keptBytes += update.keptBytes
    }
    state.isWorking = state.fold.end == nil
    self.state = Mutex(state)
  }

  /// How the last turn ended; nil while it goes on.
  var end: Gatehouse_Plane_V1_TurnEnded? {
    state.withLock { $0.isWorking ? nil : $0.fold.end }
  }

  /// What has been told by now.
  var fold: ChatLogFold { state.withLock { $0.fold } }

  /// What it holds, roughly, in bytes.
  var keptBytes: Int { state.withLock { $0.keptBytes } }

  /// The number of the last event.
  var last: UInt64 { state.withLock { UInt64($0.events.count) } }

  /// What was told of a call's outputs, in order.
  func output(of call: String) -> [Gatehouse_Plane_V1_ToolOutput] {
    state.withLock { state in
      state.events.compactMap { event in
        guard case .toolOutput(let output) = event.event, output.callID == call else { return nil }
        return output
      }
    }
  }

  /// Another turn is about to begin: who follows waits for it.
  func begin() { state.withLock { $0.isWorking = true } }

  /// What comes now is told, and not kept.
  func keepNoMore() {
    state.withLock { state in
      state.spool?.close()
      state.spool = nil
    }
  }

  /// Nothing more is told: the plane stops, and what it does to the turn is not the turn's. Followers
  /// wait until their streams end.
  func suspend() {
    state.withLock { state in
      state.isSuspended = true
      state.spool?.close()
      state.spool = nil
    }
  }

  func append(_ update: ChatUpdate) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      guard !state.isSuspended, let update = state.fold.news(in: update) else { return [] }
      state.fold.take(update)
      if case .ended = update { state.isWorking = false }
      if case .toolOutput = update, state.fold.outputBytes > Self.maxOutputBytes { return [] }
      state.keptBytes += update.keptBytes
      let event = Gatehouse_Plane_V1_FollowChatResponse.with {
        $0.sequence = UInt64(state.events.count + 1)
        $0.event = update
        if case .prompted = update { $0.prompted.turn = state.fold.turns }
      }
      state.events.append(event)
      Self.keep(event, in: &state)
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Where it can be kept no more, it goes on in memory.
  private static func keep(
    _ event: Gatehouse_Plane_V1_FollowChatResponse,
    in state: inout State
  ) {
    do {
      try state.spool?.append(event)
      if !state.isWorking { state.spool?.close() }
    } catch {
      state.spool = nil
      Plane.log.error(
        "chat_log_not_kept",
        metadata: [
          "error": "\(error)",
          "effect": "after a restart followers of this chat miss what comes now",
        ]
      )
    }
  }

  /// The events behind `sequence`; waits for one while there are none and the turn goes on. Empty
  /// after the last one.
  ///
  /// - Throws: `CancellationError`.
  func events(
    after sequence: UInt64,
    waits: Bool = true
  ) async throws -> [Gatehouse_Plane_V1_FollowChatResponse] {
    while true {
      try Task.checkCancellation()
      let (events, isOver) = state.withLock { state in
        (
          Array(state.events.dropFirst(Int(clamping: sequence)).prefix(256)),
          !state.isWorking || !waits
        )
      }
      if !events.isEmpty || isOver { return events }
      await wait(behind: sequence)
    }
  }

  private func wait(behind sequence: UInt64) async {
    let number = state.withLock { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isNews = state.withLock { state in
          // An event, or the cancellation, came in between.
          if UInt64(state.events.count) > sequence || Task.isCancelled { return true }
          state.waiters[number] = continuation
          return false
        }
        if isNews { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
    }
  }
}

extension ChatUpdate {
  /// What an event costs, roughly: its message's own storage, and its larger parts.
  fileprivate var keptBytes: Int {
    let parts =
      switch self {
      case .text(let delta): delta.text.utf8.count
      case .toolStarted(let call): call.argumentsJson.utf8.count + call.summary.utf8.count
      case .toolOutput(let output): output.data.count
      case .toolEnded(let end): end.error.utf8.count + end.diff.utf8.count
      case .prompted(let prompt): prompt.text.utf8.count
      default: 0
      }
    return 256 + parts
  }
}
