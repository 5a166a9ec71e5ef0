internal import DaemonWire
internal import Sandbox

/// A change that a file tool made: no command's, although it comes while one runs.
struct ToolChange: Sendable {
  let path: [UInt8]
  /// `nil`: there was no such file.
  let before: FileStatus?
  let after: FileStatus
  /// Its content, and the text where that is kept.
  let state: FileState
}

/// What commands that run share: who else ran, and what tools changed meanwhile.
struct RunningCommands {
  private struct Command {
    var others: Int
    /// Where its tool changes begin.
    let start: Int
  }

  private var commands: [Int: Command] = [:]
  private var made = 0
  private var changes: [ToolChange] = []
  /// Bytes of texts in them.
  private var texts = 0

  private static let maxChanges = 10_000
  private static let maxTexts = 4 << 20

  var isEmpty: Bool { commands.isEmpty }

  mutating func begin() -> Int {
    made += 1
    for number in commands.keys { commands[number]?.others += 1 }
    commands[made] = Command(others: commands.count, start: changes.count)
    return made
  }

  /// - Returns: how many others ran meanwhile, and what tools changed, in order.
  mutating func end(_ number: Int) -> (others: Int, changes: [ToolChange]) {
    guard let command = commands.removeValue(forKey: number) else { return (0, []) }
    let result = Array(changes[command.start...])
    if commands.isEmpty { (changes, texts) = ([], 0) }
    return (command.others, result)
  }

  /// Beyond its bounds a tool's change counts as the command's.
  mutating func note(_ change: ToolChange) {
    guard !commands.isEmpty, changes.count < Self.maxChanges,
      texts + change.state.text.count <= Self.maxTexts
    else { return }
    texts += change.state.text.count
    changes.append(change)
  }
}
