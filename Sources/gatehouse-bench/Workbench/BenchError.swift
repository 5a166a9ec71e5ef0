/// Why something could not be measured: names the thing and the remedy.
struct BenchError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A contestant that is not on this machine; the others are measured without it.
struct Missing: Error {
  let contestant: String
  let reason: String
}
