internal import Client
internal import Console
internal import Glibc

/// What is said to people: on standard error, so that data has standard output to itself.
enum Talk {
  static let style = Style(for: .error)

  /// A line. A closed standard error is nobody's loss.
  static func say(_ line: String) { try? StandardStream.error.write(Array((line + "\n").utf8)) }

  /// Why the command failed.
  static func complain(_ message: String) { say(style.red("gatehouse: ") + Plain.text(message)) }
}

/// What a command is asked for: on standard output.
enum DataOutput {
  static let style = Style(for: .output)

  static func write(_ text: String) throws { try StandardStream.output.write(Array(text.utf8)) }
  static func line(_ text: String) throws { try write(text + "\n") }
}

enum Exit {
  static func leave(with code: Int32) -> Never { exit(code) }
}
