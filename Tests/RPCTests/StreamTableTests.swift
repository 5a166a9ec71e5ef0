internal import HTTP2
internal import Testing

@testable internal import RPC

@Suite struct `Stream table` {
  @Test func `a proxy's error page ends the call with what its HTTP status means`() {
    let table = StreamTable(isServer: false, limits: ConnectionLimits())
    table.open(1).fields.httpStatus = 502
    table.data(on: 1, Array("<!DOCTYPE html>".utf8).span)
    guard case .failed(_, let status) = table.events.first else {
      Issue.record("the page was read as messages")
      return
    }
    #expect(status.code == .unavailable)
  }
}
