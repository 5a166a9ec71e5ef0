internal import Client
internal import Synchronization

/// What the demo shows, on standard output: chapters, and lines in them.
final class DemoScreen: Sendable {
  let style = DataOutput.style
  private let chapter = Mutex(0)
  private let start = ContinuousClock.now

  func title(_ title: String) {
    let number = chapter.withLock { number in
      number += 1
      return number
    }
    line("")
    line(style.bold("\(number)  \(title)"))
  }

  /// A line of the story. A closed standard output shows in the exit code, not here.
  func line(_ text: String) { try? DataOutput.line(text) }

  func words(_ text: String) { try? DataOutput.write(text) }

  /// A command, as a person would type it.
  func command(_ text: String) { line("   " + style.dim("$ ") + text) }

  func good(_ text: String) { line("   " + style.green("✓ ") + text) }

  func bad(_ text: String) { line("   " + style.red("✗ ") + text) }

  func note(_ text: String) { line("   " + style.dim(text)) }

  /// Since the demo began, `2.3 s`.
  var elapsed: String { Self.text(ContinuousClock.now - start) }

  static func text(_ time: Duration) -> String {
    let tenths = Int(time / .milliseconds(100))
    return "\(tenths / 10).\(tenths % 10) s"
  }
}
