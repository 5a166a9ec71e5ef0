internal import Synchronization

/// What listeners have of an answer that may be asked for more than once: of a repeated one they are
/// told only what is new, or all of it when it says something else.
package final class ShownText: Sendable {
  fileprivate struct State {
    /// UTF-8 of whole characters.
    var text: [UInt8] = []
    /// How much of `text` the attempt has said again; `nil` once it goes on behind it.
    var repeated: Int?
  }

  private let state: Mutex<State>

  /// `text`: what they have already.
  package init(_ text: String = "") { state = Mutex(State(text: Array(text.utf8))) }

  /// An attempt begins.
  package func begin() { state.withLock { $0.repeated = $0.text.isEmpty ? nil : 0 } }

  /// What to tell of what the attempt delivers; `nil`: they have it.
  package func next(_ event: ModelEvent) -> ModelEvent? {
    switch event {
    case .text(let text): state.withLock { $0.next(Array(text.utf8)) }
    case .anew(let text): state.withLock { $0.replace(Array(text.utf8)) }
    case .retrying: event
    }
  }

  /// The attempt has ended well. It may have said less than the one before it.
  package func end() -> ModelEvent? {
    state.withLock { state in
      guard let repeated = state.repeated, repeated < state.text.count else { return nil }
      state.text.removeSubrange(repeated...)
      return .anew(String(decoding: state.text, as: UTF8.self))
    }
  }
}

extension ShownText.State {
  /// An attempt further down said something else than the one before it.
  fileprivate mutating func replace(_ whole: [UInt8]) -> ModelEvent? {
    text = whole
    repeated = nil
    return .anew(String(decoding: whole, as: UTF8.self))
  }

  fileprivate mutating func next(_ piece: [UInt8]) -> ModelEvent? {
    guard let repeated else {
      text += piece
      return .text(String(decoding: piece, as: UTF8.self))
    }
    let known = text[repeated...].prefix(piece.count)
    guard piece.starts(with: known) else {
      text.replaceSubrange(repeated..., with: piece)
      self.repeated = nil
      return .anew(String(decoding: text, as: UTF8.self))
    }
    guard known.count < piece.count else {
      self.repeated = repeated + piece.count
      return nil
    }
    let rest = piece[known.count...]
    text += rest
    self.repeated = nil
    return .text(String(decoding: rest, as: UTF8.self))
  }
}
