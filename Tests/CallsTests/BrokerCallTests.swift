import Calls
import Testing

/// Ways of a call that the world of random events goes too seldom.
struct BrokerCallTests {
  private let start = ContinuousClock.now
  private let ticket = Ticket(bytes: [UInt8](repeating: 7, count: 16))
  private let instance = InstanceID(bytes: [UInt8](repeating: 1, count: 16))

  private func link(_ epoch: UInt64) throws -> BrokerCall.Link {
    BrokerCall.Link(epoch: SessionEpoch(epoch), instance: try #require(instance))
  }

  /// A call that a daemon runs, on the link with epoch 1.
  private func running() throws -> BrokerCall {
    let ticket = try #require(ticket)
    var call = BrokerCall(deadline: start + .seconds(86_400))
    _ = call.handle(.admitted(try link(1), ticket))
    let claim = BrokerCall.Claim(ticket: ticket, epoch: SessionEpoch(1))
    #expect(call.handle(.claim(claim, start)) == [.attach(1)])
    return call
  }

  @Test func `a cut call whose daemon stays away is lost after two minutes`() throws {
    let ticket = try #require(ticket)
    var call = try running()
    _ = call.handle(.carryClosed(attachment: 1, ticket, start))
    #expect(call.handle(.linkLost(SessionEpoch(1), start)) == [])
    #expect(call.wakeAt == start + .seconds(120))
    #expect(call.handle(.tick(start + .seconds(119), ticket)) == [])
    #expect(call.handle(.tick(start + .seconds(120), ticket)) == [.end(.lost, .noLink)])
    // The daemon comes back after all.
    let late = try link(2)
    #expect(call.handle(.linkUp(late, isKnown: true, ticket)) == [.forget])
  }

  @Test func `the wait begins when the last stream closes, if the link is gone before`() throws {
    let ticket = try #require(ticket)
    var call = try running()
    _ = call.handle(.linkLost(SessionEpoch(1), start))
    #expect(call.state == .running)
    #expect(call.handle(.tick(start + .seconds(500), ticket)) == [])
    _ = call.handle(.carryClosed(attachment: 1, ticket, start + .seconds(500)))
    #expect(call.wakeAt == start + .seconds(620))
  }

  @Test(arguments: [false, true])
  func `what only looks is repeated, unless it is to end`(isCancelled: Bool) throws {
    let ticket = try #require(ticket)
    let other = try #require(InstanceID(bytes: [UInt8](repeating: 2, count: 16)))
    var call = try running()
    if isCancelled { _ = call.handle(.cancel(start)) }
    _ = call.handle(.linkLost(SessionEpoch(1), start))
    call.isRepeatable = true
    let link = BrokerCall.Link(epoch: SessionEpoch(2), instance: other)
    let actions = call.handle(.linkUp(link, isKnown: false, ticket))
    #expect(actions == [.closeCarry(1), isCancelled ? .end(.lost, .newInstance) : .queue])
    guard !isCancelled else { return }
    #expect(call.handle(.admitted(link, ticket)) == [.offer(ticket)])
    // What comes late of the first run is nobody's.
    #expect(call.handle(.exit(attachment: 1, .exited)) == [])
    let claim = BrokerCall.Claim(ticket: ticket, epoch: SessionEpoch(2))
    #expect(call.handle(.claim(claim, start)) == [.attach(2)])
  }

  @Test func `a claim that crossed a later inventory is no sign that the daemon lost the call`()
    throws
  {
    let ticket = try #require(ticket)
    var call = try running()
    #expect(call.handle(.linkUp(try link(2), isKnown: false, ticket)) == [])
    #expect(call.state == .running)
    // The daemon ends the old connection, and says what it has.
    #expect(call.handle(.carryClosed(attachment: 1, ticket, start)) == [])
    #expect(call.handle(.unclaimed(SessionEpoch(2), ticket)) == [.resume(ticket)])
    #expect(call.handle(.tick(start + .seconds(500), ticket)) == [])
    #expect(call.state == .detached)
    // Or does not.
    var lost = try running()
    _ = lost.handle(.linkUp(try link(2), isKnown: false, ticket))
    _ = lost.handle(.carryClosed(attachment: 1, ticket, start))
    #expect(
      lost.handle(.tick(start + .seconds(120), ticket)) == [.end(.lost, .unknownToDaemon)]
    )
    var exited = try running()
    _ = exited.handle(.linkUp(try link(2), isKnown: false, ticket))
    #expect(
      exited.handle(.exit(attachment: 1, .exited)) == [.acknowledgeExit, .end(.exited, .reported)]
    )
  }

  @Test func `a daemon that is back in time ends the wait`() throws {
    let ticket = try #require(ticket)
    var call = try running()
    _ = call.handle(.carryClosed(attachment: 1, ticket, start))
    _ = call.handle(.linkLost(SessionEpoch(1), start))
    let next = try link(2)
    #expect(call.handle(.linkUp(next, isKnown: true, ticket)) == [.resume(ticket)])
    #expect(call.handle(.tick(start + .seconds(600), ticket)) == [])
    #expect(call.state == .detached)
  }

  @Test func `a deadline holds however often the call is carried anew`() throws {
    let ticket = try #require(ticket)
    var call = BrokerCall(deadline: start + .seconds(60))
    _ = call.handle(.admitted(try link(1), ticket))
    let claim = BrokerCall.Claim(ticket: ticket, epoch: SessionEpoch(1))
    var seen: [BrokerCall.Action] = []
    for second in 0..<96 {
      let now = start + .seconds(second)
      seen = call.handle(.tick(now, ticket))
      if second == 65 { #expect(seen == [.cancel]) }
      if call.isEnded { break }
      _ = call.handle(.ticketSent(now))
      let number = call.attachment + 1
      #expect(call.handle(.claim(claim, now)) == [.attach(number)])
      _ = call.handle(.carryClosed(attachment: number, ticket, now))
    }
    #expect(seen.last == .end(.lost, .noExit))
  }

  @Test func `a call that waits for a workspace that stays away is refused after two minutes`()
    throws
  {
    let ticket = try #require(ticket)
    var call = BrokerCall(deadline: start + .seconds(86_400))
    #expect(call.handle(.linkLost(SessionEpoch(1), start)) == [])
    #expect(call.state == .queued)
    #expect(call.wakeAt == start + .seconds(120))
    #expect(call.handle(.tick(start + .seconds(119), ticket)) == [])
    #expect(call.handle(.tick(start + .seconds(120), ticket)) == [.end(.refused, .noLinkInQueue)])
    var other = BrokerCall(deadline: start + .seconds(86_400))
    _ = other.handle(.linkLost(SessionEpoch(1), start))
    #expect(other.handle(.linkUp(try link(2), isKnown: false, ticket)) == [])
    #expect(other.handle(.tick(start + .seconds(600), ticket)) == [])
    #expect(other.handle(.admitted(try link(2), ticket)) == [.offer(ticket)])
  }

  @Test func `a stopped workspace leaves no call`() throws {
    let ticket = try #require(ticket)
    var waiting = BrokerCall(deadline: start + .seconds(60))
    #expect(waiting.handle(.workspaceStopped) == [.end(.cancelled, .cancelledBeforeStart)])
    var call = try running()
    let left: [BrokerCall.Action] = [
      .closeCarry(1), .forget, .end(.lost, .workspaceStopped),
    ]
    #expect(call.handle(.workspaceStopped) == left)
    #expect(call.handle(.workspaceStopped) == [])
    #expect(call.handle(.tick(start + .seconds(999), ticket)) == [])
  }
}
