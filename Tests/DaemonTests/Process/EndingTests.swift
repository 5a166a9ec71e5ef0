import Calls
import DaemonWire
import Sandbox
import Testing

@testable import Daemon

@Suite struct `A call's end` {
  private func record(
    _ ending: ExitRecord.Ending,
    _ cause: ExitRecord.Cause,
    gone: Bool = true
  ) -> ExitRecord {
    ExitRecord(ending: ending, cause: cause, treeGone: gone, microseconds: 7)
  }

  private func exit(_ record: ExitRecord) -> Exit {
    let ending = Ending(record)
    return ending.message(ending.outcome, [])
  }

  @Test(arguments: [
    (ExitRecord.Cause.none, DaemonWire.Outcome.signalled), (.cancelled, .cancelled),
    (.timedOut, .timedOut), (.abandoned, .cancelled),
  ])
  func `names who ended it`(_ cause: ExitRecord.Cause, _ outcome: DaemonWire.Outcome) {
    #expect(exit(record(.ended(.signalled(15)), cause)).outcome == outcome)
  }

  @Test func `says so when no daemon was there`() {
    let exit = exit(record(.ended(.signalled(15)), .abandoned))
    #expect(exit.error?.code == "unavailable")
    #expect(exit.error?.message.contains("run it again") == true)
  }

  @Test func `is unknown while something of it may still run`() {
    #expect(exit(record(.ended(.signalled(15)), .timedOut, gone: false)).outcome == .lost)
    #expect(exit(record(.unknown, .abandoned)).outcome == .lost)
  }

  @Test func `is that nothing started, whatever was ordered`() {
    let failure = SpawnFailure(code: "not_found", message: "no program 'x'")
    #expect(exit(record(.notStarted(failure), .abandoned)).outcome == .spawnFailed)
  }

  /// A message has at most 1 MiB, and one that is larger is refused for ever.
  @Test(arguments: ["x", "é", "👩‍🚀"])
  func `fits a message, whatever was asked for`(_ character: String) throws {
    let text = String(repeating: character, count: 1_200_000 / character.utf8.count)
    let exit = Ending(.spawnFailed, ToolError(.invalidArgument, text)).message(.spawnFailed, [])
    let message = try #require(exit.error?.message)
    #expect(message.utf8.count < ToolError.maxMessageBytes + 40)
    #expect(message.hasSuffix("… (\(text.utf8.count) bytes)"))
    #expect(text.hasPrefix(message.prefix(1_000)))
    #expect(try exit.encoded().count < 64 * 1_024)
  }

  @Test func `says so when the answer is larger than a message`() throws {
    let large = [UInt8](repeating: 1, count: Exit.maxResponseBytes + 1)
    let exit = Ending(.success(large), microseconds: 1).message(.exited, [])
    #expect(exit.code == 1)
    #expect(exit.error?.code == "too_large")
    #expect(exit.response.isEmpty)
    let whole = Ending(.success(Array(large.dropLast())), microseconds: 1).message(.exited, [])
    #expect(whole.code == 0)
    #expect(try whole.encoded().count < 1 << 20)
  }
}
