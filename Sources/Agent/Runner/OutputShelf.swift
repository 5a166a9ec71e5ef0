internal import Synchronization
internal import Wire

/// The results of a chat's calls, for `output.read`. The oldest go when there are too many.
final class OutputShelf: Sendable {
  /// With 2 MiB each at most, 64 MiB.
  private static let maxOutputs = 32

  private let outputs = Mutex<[(call: String, output: KeptOutput)]>([])

  func keep(_ output: KeptOutput, of call: String) {
    // A result that was shown whole has no rest to be read.
    guard output.total > Clip.maxBytes else { return }
    outputs.withLock { outputs in
      outputs.append((call, output))
      if outputs.count > Self.maxOutputs { outputs.removeFirst() }
    }
  }

  func read(_ range: OutputRange) -> CallResult {
    let output = outputs.withLock { $0.last { $0.call == range.call }?.output }
    guard let output else {
      return .refused(
        "the rest of call '\(range.call)' is not kept any more; what it did is done, so read what you need "
          + "in another way before you repeat it"
      )
    }
    return CallResult(text: Clip.range(range, of: output), outcome: .exited)
  }
}
