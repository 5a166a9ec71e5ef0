internal import Crypto
internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import RPC
internal import SwiftProtobuf
internal import Synchronization
internal import TLS
internal import Testing
internal import Wire

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `The plane's certificates` {
  /// When the certificate ends that the mutual listener shows to a new connection.
  private func end(_ test: TestPlane) async throws -> Int64 {
    let seen = Mutex<Int64>(0)
    let identity = TLSIdentity(
      chainPEM: try test.text("client/cert.pem"),
      keyPEM: try test.text("client/key.pem")
    )
    let connection = try await test.connect(
      test.plane.addresses.mutual,
      identity,
      identification: Identification { chain in
        let leaf = chain.first.flatMap { try? Certificate(der: $0) }
        seen.withLock { $0 = leaf?.notAfter ?? 0 }
        return .success(.init(identity: nil, validFor: nil))
      }
    )
    try await list(connection)
    await connection.closeClient()
    return seen.withLock { $0 }
  }

  private func list(_ connection: Connection) async throws {
    let _: Gatehouse_Plane_V1_ListWorkspacesResponse = try await connection.ask(
      "/gatehouse.plane.v1.Workspaces/List",
      Gatehouse_Plane_V1_ListWorkspacesRequest()
    )
  }

  @Test func `they are renewed while it runs, and connections go on`() async throws {
    let day: Int64 = 86_400
    let now = ThisProcess.unixTime
    // Made 16 days ago; the plane's clock goes on when we say so.
    let clock = Atomic<Int64>(now - 16 * day)
    let test = try await TestPlane { $0.clock = { clock.load(ordering: .relaxed) } }
    let admin = try await test.admin()
    let old = try test.text("client/cert.pem")
    #expect(try await end(test) == now + 14 * day)
    await test.plane.renewal.renew()
    #expect(try await end(test) == now + 14 * day)
    clock.store(now, ordering: .relaxed)
    await test.plane.renewal.renew()
    #expect(try await end(test) == now + 30 * day)
    #expect(try test.text("client/cert.pem") != old)
    try await list(admin)
    await test.stop()
  }

  @Test func `what cannot be renewed is tried again`() async throws {
    let day: Int64 = 86_400
    let now = ThisProcess.unixTime
    let clock = Atomic<Int64>(now - 16 * day)
    let test = try await TestPlane { $0.clock = { clock.load(ordering: .relaxed) } }
    let key = try #require(try test.state.folder.read("pki/server.key"))
    try test.state.folder.write(Array("damaged".utf8), to: "pki/server.key")
    clock.store(now, ordering: .relaxed)
    await test.plane.renewal.renew()
    #expect(try await end(test) == now + 14 * day)
    try test.state.folder.write(key, to: "pki/server.key")
    await test.plane.renewal.renew()
    #expect(try await end(test) == now + 30 * day)
    await test.stop()
  }

  @Test(arguments: [(5, 60), (-100_000, 60), (600, 600), (1_296_000, 3600)])
  func `the next look is a minute to an hour away`(left: Int64, seconds: Int64) {
    #expect(CertificateRenewal.wait(until: 1000 + left, at: 1000) == .seconds(seconds))
  }

  @Test func `a plane with a name of its own tells it, and can be verified by it`() async throws {
    // Of this machine, and not among the names that each plane has.
    let test = try await TestPlane { configuration in
      configuration.listen = HostPort(host: "0.0.0.0", port: 0)
      configuration.listenOpen = HostPort(host: "0.0.0.0", port: 0)
      configuration.hosts = ["127.0.0.2", "plane.example"]
    }
    let addresses = test.plane.addresses
    #expect(addresses.mutual.host == "127.0.0.2")
    #expect(addresses.open.host == "127.0.0.2")
    #expect(try test.text("client/plane") == "localhost:\(addresses.mutual.port)\n")
    let workspace = try await test.external("a1")
    let daemon = try await test.mutual(test.enroll(workspace.token))
    await daemon.closeClient()
    await test.stop()
  }
}
