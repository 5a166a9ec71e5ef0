/// Something that is to be over within a time, by a name that people know.
package struct TimedStep: Sendable {
  private let name: String
  private let limit: Duration

  package init(_ name: String, within limit: Duration) {
    self.name = name
    self.limit = limit
  }

  /// Runs it; past its time it is cancelled, which it must heed.
  ///
  /// - Throws: `Overdue`; what `body` throws.
  package func run<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let limit = limit
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() ?? nil else {
        throw Overdue(step: name, limit: limit)
      }
      return value
    }
  }

  /// A step took too long.
  package struct Overdue: Error, CustomStringConvertible {
    let step: String
    let limit: Duration

    package var description: String {
      "'\(step)' is not over after \(limit.components.seconds) s"
    }
  }
}
