internal import CLinux

/// The terminal at standard input.
package enum Terminal {
  package struct Size: Sendable, Equatable {
    package let columns: Int
    package let rows: Int
  }

  /// The size of the terminal at standard output or input; `nil` when neither is one.
  package static var size: Size? {
    for stream in [1, 0] as [Int32] {
      var (columns, rows): (UInt16, UInt16) = (0, 0)
      if unsafe gh_terminal_size(stream, &columns, &rows) == 0, columns > 0, rows > 0 {
        return Size(columns: Int(columns), rows: Int(rows))
      }
    }
    return nil
  }

  /// Hands every key on as it is, Ctrl-C too, until `restore`.
  ///
  /// - Throws: when standard input is no terminal.
  package static func makeRaw() throws(ConsoleError) -> RawMode {
    var attributes = termios()
    guard unsafe tcgetattr(0, &attributes) == 0 else {
      throw ConsoleError(
        "use standard input as a terminal (--tty needs one; leave it out)",
        code: gh_errno()
      )
    }
    let mode = RawMode(attributes: attributes)
    unsafe cfmakeraw(&attributes)
    guard unsafe tcsetattr(0, TCSANOW, &attributes) == 0 else {
      throw ConsoleError("change the terminal's mode", code: gh_errno())
    }
    return mode
  }

  /// A terminal in raw mode, and how it was before.
  package struct RawMode: Sendable {
    fileprivate let attributes: termios

    package func restore() {
      var attributes = attributes
      _ = unsafe tcsetattr(0, TCSADRAIN, &attributes)
    }
  }
}
