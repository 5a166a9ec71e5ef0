internal import Agent
internal import SwiftProtobuf
internal import Synchronization
internal import Wire

/// What happened in a chat, for those who follow: numbered from 1, without holes.
///
/// Beyond `maxOutputBytes` the output of tools is left out. It is in the calls' own logs, and the
/// model has its part of it. The rest is bounded by the turn's steps and tokens; `Chats` bounds all.
final class ChatLog: Sendable {
  static let maxOutputBytes = 8 << 20

  private struct State {
    var events: [Gatehouse_Plane_V1_FollowChatResponse] = []
    var outputBytes = 0
    var keptBytes = 0
    var end: Gatehouse_Plane_V1_TurnEnded?
    var runningCalls = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var lastWaiter = 0
  }

  private let state = Mutex(State())

  /// How the turn ended; nil while it goes on.
  var end: Gatehouse_Plane_V1_TurnEnded? { state.withLock { $0.end } }

  /// Calls that have started and not ended.
  var runningCalls: Int { state.withLock { $0.runningCalls } }

  /// What it holds, roughly, in bytes.
  var keptBytes: Int { state.withLock { $0.keptBytes } }

  func append(_ update: ChatUpdate) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      if case .toolOutput(let output) = update {
        state.outputBytes += output.data.count
        guard state.outputBytes <= Self.maxOutputBytes else { return [] }
      }
      switch update {
      case .ended(let end): state.end = end
      case .toolStarted: state.runningCalls += 1
      case .toolEnded: state.runningCalls -= 1
      default: break
      }
      state.keptBytes += update.keptBytes
      let sequence = UInt64(state.events.count + 1)
      state.events.append(
        .with {
          $0.sequence = sequence
          $0.event = update
        }
      )
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// The events behind `sequence`; waits for one while there are none. Empty after the last one.
  ///
  /// - Throws: `CancellationError`.
  func events(after sequence: UInt64) async throws -> [Gatehouse_Plane_V1_FollowChatResponse] {
    while true {
      try Task.checkCancellation()
      let (events, isOver) = state.withLock { state in
        (Array(state.events.dropFirst(Int(clamping: sequence)).prefix(256)), state.end != nil)
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
      default: 0
      }
    return 256 + parts
  }
}
