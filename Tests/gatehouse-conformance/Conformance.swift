internal import ArgumentParser
internal import EventLoop
internal import Foundation
internal import Host

/// Judges a daemon in any language: plays the plane for it, and says pass or fail by name.
///
/// Exit code 0 when every case passed, 1 when one failed, 2 when the daemon never linked.
@main struct Conformance: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gatehouse-conformance",
    abstract: "Judges a program that speaks gatehouse.link.v1: a daemon in any language.",
    discussion: """
      It runs a plane of its own on loopback, and waits for the daemon. Give the command that starts \
      it behind `--`, with these words in it:

        {token} {token-file} {enroll} {plane} {ca} {root} {state}

      or none, and start the daemon by hand with what is printed. Proto/README.md says what a daemon \
      has to do.

      """ + "Cases: " + ConformanceCase.all.map(\.name).joined(separator: " ")
  )

  @Option(help: "Only cases whose name contains this; repeat for others.")
  var only: [String] = []

  @Option(help: "Bytes that the case 'bulk' moves.")
  var bulkBytes = 1 << 30

  @Option(help: "Seconds that a case may take.")
  var timeout = 120

  @Option(help: "Where the daemon's output goes; else to standard error.")
  var log: String?

  @Flag(help: "Names the cases and what each of them asks.")
  var list = false

  @Argument(parsing: .postTerminator, help: "The command that starts the daemon.")
  var command: [String] = []

  func run() async throws {
    if list {
      for each in ConformanceCase.all {
        try ThisProcess.say("\(each.name)\n    \(each.asks)\n")
      }
      return
    }
    let cases = try chosen()
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "gatehouse-conformance-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let kit = try await Kit(in: folder.path, bulkBytes: bulkBytes)
    var failures = 0
    do {
      let daemon = try await kit.start(command, log: log)
      defer { daemon?.end() }
      failures = try await judge(cases, kit)
    } catch let failure as Failure {
      try ThisProcess.say("FAIL link: \(failure.reason)\n")
      await kit.close()
      throw ExitCode(2)
    }
    await kit.close()
    let passed = cases.count - failures
    try ThisProcess.say("\(passed) of \(cases.count) cases passed\n")
    if failures > 0 { throw ExitCode.failure }
  }

  private func chosen() throws -> [ConformanceCase] {
    let cases = ConformanceCase.all.filter { each in
      only.isEmpty || only.contains { each.name.contains($0) }
    }
    guard !cases.isEmpty else {
      throw ValidationError("no case's name contains that; --list names them")
    }
    return cases
  }

  /// - Returns: how many failed.
  private func judge(_ cases: [ConformanceCase], _ kit: Kit) async throws -> Int {
    var failures = 0
    for each in cases {
      let began = ContinuousClock.now
      do {
        try await within(.seconds(timeout)) { try await each.run(kit) }
        let tenths = Int((ContinuousClock.now - began) / .milliseconds(100))
        try ThisProcess.say("PASS \(each.name) (\(tenths / 10).\(tenths % 10) s)\n")
      } catch {
        failures += 1
        try ThisProcess.say("FAIL \(each.name): \(error)\n    it asks: \(each.asks)\n")
      }
    }
    return failures
  }
}

/// What a daemon did wrong, for whoever writes it.
struct Failure: Error, CustomStringConvertible {
  let reason: String
  var description: String { reason }

  init(_ reason: String) { self.reason = reason }
}

/// - Throws: `Failure` when `found` is not so.
func expect(_ found: Bool, _ reason: @autoclosure () -> String) throws {
  if !found { throw Failure(reason()) }
}

func expectEqual<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws {
  try expect(found == expected, "\(what) is \(found), not \(expected)")
}

/// Gives up on `body` after a time; it is cancelled then.
func within<Result: Sendable>(
  _ limit: Duration,
  _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Result.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      throw Failure("it did not end within \(limit)")
    }
    defer { group.cancelAll() }
    guard let first = try await group.next() else { throw CancellationError() }
    return first
  }
}
