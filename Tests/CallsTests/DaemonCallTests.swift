import Testing

@testable import Calls

struct `A call as its daemon sees it` {
  private let random = Ticket(bytes: [UInt8](repeating: 1, count: 16))

  /// A call that runs and is attached.
  private func running() throws -> DaemonCall {
    var call = DaemonCall()
    #expect(call.handle(.requestWhole) == [.start])
    let ticket = try #require(random)
    #expect(call.handle(.granted(ticket)) == [.openCarry(ticket, attachment: 1)])
    return call
  }

  @Test func `is cancelled, or late, once while it runs`() throws {
    var cancelled = try running()
    #expect(cancelled.handle(.cancel) == [.kill(.cancelled)])
    #expect(cancelled.handle(.deadline).isEmpty)
    #expect(cancelled.handle(.toolDone).isEmpty)
    #expect(cancelled.handle(.toolEnded(.signalled)) == [.sendExit(.cancelled)])
    var late = try running()
    #expect(late.handle(.deadline) == [.kill(.deadline)])
    #expect(late.handle(.toolEnded(.signalled)) == [.sendExit(.timedOut)])
  }

  @Test func `ends as its tool did, whatever comes while its exit is put together`() throws {
    var call = try running()
    #expect(call.handle(.toolDone).isEmpty)
    #expect(call.handle(.cancel).isEmpty)
    #expect(call.handle(.deadline).isEmpty)
    #expect(call.handle(.toolEnded(.exited)) == [.sendExit(.exited)])
  }

  @Test func `is dropped with its exit when it was forgotten meanwhile`() throws {
    var call = try running()
    #expect(call.handle(.toolDone).isEmpty)
    #expect(call.handle(.forget).isEmpty)
    #expect(call.handle(.toolEnded(.exited)) == [.closeCarry(attachment: 1), .drop])
    #expect(call.state == .gone)
  }
}
