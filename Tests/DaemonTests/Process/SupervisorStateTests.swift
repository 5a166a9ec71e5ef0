import Sandbox
import Testing

@testable import Daemon

@Suite struct `A supervisor's state` {
  let start = ContinuousClock.now
  var state: SupervisorState

  init() { state = SupervisorState(startedAt: start) }

  func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

  func record(
    _ ending: ExitRecord.Ending,
    _ cause: ExitRecord.Cause = .none,
    gone: Bool = true,
    seconds: Int
  ) -> ExitRecord {
    ExitRecord(
      ending: ending,
      cause: cause,
      treeGone: gone,
      microseconds: UInt64(seconds) * 1_000_000
    )
  }

  @Test mutating func `ends when the command and all its children ended`() {
    state.mainEnded(.exited(3))
    let ended = record(.ended(.exited(3)), seconds: 1)
    #expect(state.childrenEnded(isEmpty: true, now: at(1)) == [.finish(ended)])
    #expect(state.released() == [.exit])
  }

  @Test mutating func `kills what a command leaves in the background`() {
    state.mainEnded(.exited(0))
    #expect(state.childrenEnded(isEmpty: false, now: at(1)).isEmpty)
    #expect(state.deadline == at(2))
    #expect(state.advance(now: at(2)) == [.terminateTree])
    #expect(state.advance(now: at(4)) == [.killTree])
    let ended = record(.ended(.exited(0)), seconds: 5)
    #expect(state.childrenEnded(isEmpty: true, now: at(5)) == [.finish(ended)])
  }

  @Test mutating func `asks, then kills until nothing is left`() {
    #expect(state.end(.cancelled, now: at(0)) == [.terminateTree])
    #expect(state.end(.timedOut, now: at(1)).isEmpty)
    #expect(state.advance(now: at(1)).isEmpty)
    #expect(state.advance(now: at(2)) == [.killTree])
    #expect(state.advance(now: at(3)) == [.killTree])
    state.mainEnded(.signalled(9))
    #expect(
      state.childrenEnded(isEmpty: true, now: at(3))
        == [.finish(record(.ended(.signalled(9)), .cancelled, seconds: 3))]
    )
  }

  @Test mutating func `says so when a process cannot be killed`() {
    _ = state.end(.cancelled, now: at(0))
    _ = state.advance(now: at(2))
    #expect(
      state.advance(now: at(22)) == [
        .finish(record(.unknown, .cancelled, gone: false, seconds: 22))
      ]
    )
  }

  @Test mutating func `keeps the command's own end when the order to end it comes too late`() {
    state.mainEnded(.exited(0))
    _ = state.childrenEnded(isEmpty: false, now: at(0))
    #expect(state.end(.cancelled, now: at(0)) == [.terminateTree])
    #expect(
      state.childrenEnded(isEmpty: true, now: at(1))
        == [.finish(record(.ended(.exited(0)), seconds: 1))]
    )
  }

  @Test mutating func `ends the tree when no daemon comes back, and goes`() {
    state.daemonLeft(now: at(0))
    #expect(state.deadline == at(10))
    #expect(state.advance(now: at(10)) == [.terminateTree])
    state.mainEnded(.signalled(15))
    #expect(
      state.childrenEnded(isEmpty: true, now: at(11)) == [
        .finish(record(.ended(.signalled(15)), .abandoned, seconds: 11)), .exit,
      ]
    )
  }

  @Test mutating func `goes on for a daemon that comes back`() {
    state.daemonLeft(now: at(0))
    state.daemonCame()
    #expect(state.deadline == nil)
    #expect(state.advance(now: at(60)).isEmpty)
  }

  @Test mutating func `keeps the last output for a daemon that may come back`() {
    state.daemonLeft(now: at(0))
    state.mainEnded(.exited(0))
    #expect(
      state.childrenEnded(isEmpty: true, now: at(1))
        == [.finish(record(.ended(.exited(0)), seconds: 1))]
    )
    #expect(state.advance(now: at(10)) == [.exit])
  }
}
