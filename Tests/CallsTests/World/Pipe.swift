import TestSupport

/// One direction of a stream: messages arrive in order until it is cut; what was under way behind
/// the cut is gone.
final class Pipe<Message> {
  private var messages: [Message] = []
  private(set) var isCut = false
  private var isEndSeen = false

  /// Something is left to notice at the receiving end.
  var isBusy: Bool { !messages.isEmpty || isCut && !isEndSeen }

  func send(_ message: Message) {
    if !isCut { messages.append(message) }
  }

  func cut(_ random: inout Seeded) {
    guard !isCut else { return }
    messages.removeLast(Int.random(in: 0...messages.count, using: &random))
    isCut = true
  }

  /// No more is sent; what was, arrives.
  func finish() { isCut = true }

  /// The receiver is not there any more.
  func abandon() {
    messages = []
    isCut = true
    isEndSeen = true
  }

  /// Nil is the end.
  func receive() -> Message? {
    guard messages.isEmpty else { return messages.removeFirst() }
    isEndSeen = true
    return nil
  }
}
