internal import EventLoop

/// A program that is measured, running.
struct Contestant: Sendable {
  let name: String
  let server: HostPort
  /// Whose CPU time counts.
  let process: ChildProcess
  /// What the figure includes, for people.
  let includes: String
}

/// How to start one kind of contestant.
struct Entrant: Sendable {
  let name: String
  /// Starts it in front of the echo server at `backend`, or beside it.
  ///
  /// Throws `Missing` when it is not on this machine.
  let start: @Sendable (_ workbench: Workbench, _ backend: HostPort) async throws -> Contestant
}

extension Entrant {
  /// Starts those that are on this machine.
  static func start(
    _ entrants: [Entrant],
    _ workbench: Workbench,
    _ backend: HostPort,
    for row: String
  ) async throws -> (contestants: [Contestant], skipped: [Skipped]) {
    var (contestants, skipped): ([Contestant], [Skipped]) = ([], [])
    for entrant in entrants {
      do {
        contestants.append(try await entrant.start(workbench, backend))
      } catch let missing as Missing {
        skipped.append(Skipped(row: row, missing))
      }
    }
    return (contestants, skipped)
  }
}
