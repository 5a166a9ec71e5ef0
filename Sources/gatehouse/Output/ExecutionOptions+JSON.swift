internal import Client
internal import Wire

extension Execution.Options {
  /// Has each message of the plane's printed as a line of JSON; output is in them, in base64.
  mutating func printJSON() {
    observe = { try DataOutput.json($0) }
    write = { _, _ in }
  }
}
