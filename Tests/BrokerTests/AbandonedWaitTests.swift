import SwiftProtobuf
import Testing
import Wire

@testable import RPC

/// Somebody waits for a call, and leaves.
@Suite(.timeLimit(.minutes(5))) struct `A wait that nobody wants` {
  private func leave<Request: Message>(
    _ method: String,
    _ request: Request,
    in rig: Rig
  ) async throws {
    let connection = try await rig.connect(as: "spiffe://test/user/ann")
    let stream = try await connection.openStream("/gatehouse.tools.v1.Tools/\(method)")
    try await stream.send(request.serializedBytes())
    await stream.halfClose()
    while await rig.server.taskCount == 0 { try Task.checkCancellation() }
    let left = ContinuousClock.now
    await stream.cancel()
    while await rig.server.taskCount > 0 { try Task.checkCancellation() }
    // Of itself it ends after a minute.
    #expect(left.duration(to: .now) < .seconds(30))
    await connection.closeClient()
  }

  @Test func `ends with its stream`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let call = try await rig.client().start()
    let id = try await call.expectAccepted().callID
    let carry = try await daemon.carry(daemon.expectOffer())
    // Its state is known by then, so that nothing else is news.
    try await carry.send(stdout: [1], at: 0)
    #expect(try await call.readOutput(1) == [1])

    var poll = Gatehouse_Tools_V1_PollRequest()
    (poll.callID, poll.waitMs) = (id, 60_000)
    poll.from = [offset(.stdout, 1)]
    try await leave("Poll", poll, in: rig)

    var cancel = Gatehouse_Tools_V1_CancelRequest()
    cancel.callID = id
    try await leave("Cancel", cancel, in: rig)
    #expect(try await daemon.expectCancel() == id)
    try await carry.exit(.cancelled)
    #expect(try await call.expectExit().outcome == .cancelled)
    await rig.close()
  }
}

extension Server {
  fileprivate var taskCount: Int {
    connections.reduce(0) { sum, connection in sum + connection.onLoop { $0.runningTasks } }
  }
}
