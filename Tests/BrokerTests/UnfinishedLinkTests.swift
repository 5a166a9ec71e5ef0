import Calls
import EventLoop
import FoundationEssentials
import Identity
import RPC
import SwiftProtobuf
import Testing
import Wire

@testable import Broker

/// `Connect` streams that do not become their workspace's link.
@Suite(.timeLimit(.minutes(5))) struct `An unfinished link` {
  private static let path = "/gatehouse.link.v1.Link/Connect"

  /// Opens `Connect` and says hello; the plane has welcomed it.
  private func greet(_ connection: Connection) async throws -> ClientStream {
    let link = try await connection.openStream(Self.path)
    var hello = Gatehouse_Link_V1_ConnectRequest()
    hello.hello.generation = 1
    hello.hello.instanceID = Data(repeating: 1, count: 16)
    hello.hello.maxCalls = 10
    try await link.send(hello.serializedBytes())
    #expect(try await link.next() != nil)
    return link
  }

  @Test func `gives way to the next one`() async throws {
    let rig = try await Rig { $0.inventoryTime = .seconds(600) }
    let connection = try await rig.connect(as: "spiffe://test/workspace/ws_one")
    let other = try await greet(rig.connect(as: "spiffe://test/workspace/ws_two"))
    for _ in 0..<3 {
      let first = try await greet(connection)
      let second = try await connection.openStream(Self.path)
      let error = await #expect(throws: RPCStatus.self) { try await first.next() }
      #expect(error?.code == .aborted)
      await second.cancel()
    }
    // Those of others stay.
    #expect(await rig.broker.sessionCount(of: "ws_two") == 1)
    await other.cancel()
    await rig.close()
  }

  @Test func `leaves the link alone that there is`() async throws {
    let rig = try await Rig()
    let daemon = try await rig.daemon()
    let next = try await greet(daemon.connection)
    #expect(await rig.broker.isLinked("ws_one"))
    await next.cancel()
    let call = try await rig.client().start()
    let carry = try await daemon.carry(daemon.expectOffer())
    try await carry.exit()
    #expect(try await call.expectExit().outcome == .exited)
    await rig.close()
  }

  @Test func `is ended when the plane drains: it would hear nothing of that`() async throws {
    let rig = try await Rig()
    let link = try await greet(rig.connect(as: "spiffe://test/workspace/ws_one"))
    await rig.broker.drain("the plane is stopping")
    let error = await #expect(throws: RPCStatus.self) { while try await link.next() != nil {} }
    #expect(error == RPCStatus(.unavailable, "the plane is stopping"))
    await rig.close()
  }

  @Test func `names more calls to forget than a message on Connect may`() async throws {
    let rig = try await Rig()
    let link = try await greet(rig.connect(as: "spiffe://test/workspace/ws_one"))
    let name = String(repeating: "x", count: 50)
    for page in 0..<4 {
      var message = Gatehouse_Link_V1_ConnectRequest()
      message.inventory.calls = (0..<900).map { number in
        var call = Gatehouse_Link_V1_KnownCall()
        call.callID = "call_\(name)\(page)\(1000 + number)"
        return call
      }
      message.inventory.last = page == 3
      try await link.send(message.serializedBytes())
    }
    var forgotten = 0
    while forgotten < 3_600 {
      let bytes = try #require(try await link.next())
      #expect(bytes.count <= 64 * 1024)
      let message = try Gatehouse_Link_V1_ConnectResponse(serializedBytes: bytes)
      forgotten += message.forget.callIds.count
    }
    #expect(forgotten == 3_600)
    await rig.close()
  }

  @Test func `is ended in time, whatever it says meanwhile`() async throws {
    let rig = try await Rig { $0.inventoryTime = .seconds(3) }
    let link = try await greet(rig.connect(as: "spiffe://test/workspace/ws_one"))
    var page = Gatehouse_Link_V1_ConnectRequest()
    page.inventory.last = false
    try await link.send(page.serializedBytes())
    let error = await #expect(throws: RPCStatus.self) {
      while try await link.next() != nil {}
    }
    #expect(error?.code == .deadlineExceeded)
    #expect(await rig.broker.sessionCount(of: "ws_one") == 0)
    await rig.close()
  }

  @Test func `leaves no epoch behind of a workspace that is deleted`() throws {
    let loop = try EventLoop(name: "unused")
    let board = Switchboard(on: loop, directory: TwoWorkspaces(), options: BrokerOptions())
    let first = board.nextEpoch(of: "ws_one")
    for number in 0..<1_000 { _ = board.nextEpoch(of: "ws_gone_\(number)") }
    #expect(board.epochs.count < 100)
    #expect(board.nextEpoch(of: "ws_one") > first)
    loop.stop()
  }
}

extension Broker {
  /// Windows for input that are promised, in bytes.
  var inputPromised: Int { board.stdins.promised }

  /// Calls that wait for their turn.
  func waitingCount(for workspace: String) -> Int { board.admission.waiting(for: workspace) }

  fileprivate func sessionCount(of workspace: String) -> Int {
    board.sessions.values.count { $0.workspace.id == workspace }
  }
}
