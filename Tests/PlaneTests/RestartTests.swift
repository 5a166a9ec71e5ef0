internal import Calls
internal import Testing

@testable internal import Plane

@Suite struct `Restarts of local daemons` {
  /// The longest of all waits that could be drawn.
  private struct Longest: RandomNumberGenerator {
    mutating func next() -> UInt64 { .max }
  }

  /// What an ended daemon ran is given up ten seconds after it.
  @Test func `never wait so long that its commands are ended`() {
    var (backoff, random) = (Workspaces.restarts, Longest())
    let waits = (0..<20).map { _ in backoff.next(random: &random) }
    #expect(waits.max() == .seconds(5))
  }
}
