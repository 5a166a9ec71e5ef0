package import Console
internal import Host

/// Colours, where they are wanted: on a terminal, and not under `NO_COLOR` or with `TERM=dumb`.
package struct Style: Sendable {
  private let isColoured: Bool

  package init(isColoured: Bool) { self.isColoured = isColoured }

  /// For what goes to `stream`.
  package init(for stream: StandardStream) {
    let refused = ThisProcess.variable("NO_COLOR").map { !$0.isEmpty } ?? false
    isColoured = stream.isTerminal && !refused && ThisProcess.variable("TERM") != "dumb"
  }

  package func bold(_ text: String) -> String { wrap(text, "1") }
  package func dim(_ text: String) -> String { wrap(text, "2") }
  package func red(_ text: String) -> String { wrap(text, "31") }
  package func green(_ text: String) -> String { wrap(text, "32") }
  package func yellow(_ text: String) -> String { wrap(text, "33") }
  package func cyan(_ text: String) -> String { wrap(text, "36") }

  /// A unified diff, line by line.
  package func diff(_ text: String) -> String {
    text.split(separator: "\n").map { line in
      let line = String(line)
      if line.hasPrefix("+++") || line.hasPrefix("---") { return bold(line) }
      if line.hasPrefix("+") { return green(line) }
      if line.hasPrefix("-") { return red(line) }
      return line.hasPrefix("@@") ? cyan(line) : line
    }.joined(separator: "\n")
  }

  private func wrap(_ text: String, _ code: String) -> String {
    isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
