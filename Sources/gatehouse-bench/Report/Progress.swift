internal import Sandbox

/// What goes on, for whoever waits.
enum Progress {
  static func say(_ text: String) { StandardStream.error.write("\(text)\n") }
}
