internal import Crypto
internal import FoundationEssentials
internal import Host
internal import Ledger
internal import RPC
internal import SwiftProtobuf
internal import Synchronization
internal import Testing
internal import Wire

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct Enrolling {
  @Test func `a token becomes a certificate that may link and nothing else`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    let daemon = try await test.mutual(test.enroll(workspace.token))
    let refused = await status {
      _ = try await daemon.unary("/gatehouse.plane.v1.Workspaces/List", [])
    }
    #expect(
      refused?.description
        == "PERMISSION_DENIED: a workspace may not call /gatehouse.plane.v1.Workspaces/List"
    )
    await test.stop()
  }

  @Test func `a token works once`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    _ = try await test.enroll(workspace.token)
    let refused = await status { _ = try await test.enroll(workspace.token) }
    #expect(
      refused?.description == "UNAUTHENTICATED: the join token was used; ask for a new one"
    )
    #expect(await status { _ = try await test.enroll("ghj_") }?.code == .unauthenticated)
    await test.stop()
  }

  @Test func `a bad request does not use the token up`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    let refused = await status {
      let _: Gatehouse_Link_V1_EnrollResponse = try await test.open().ask(
        "/gatehouse.link.v1.Enrollment/Enroll",
        Gatehouse_Link_V1_EnrollRequest.with {
          $0.token = workspace.token
          $0.csrDer = Data([1, 2, 3])
        }
      )
    }
    #expect(refused?.code == .invalidArgument)
    _ = try await test.enroll(workspace.token)
    await test.stop()
  }

  @Test func `a workspace's token is no login`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    let refused = await status {
      let csr = try CertificateRequest(for: .generate()).der
      let _: Gatehouse_Link_V1_LoginResponse = try await test.open().ask(
        "/gatehouse.link.v1.Enrollment/Login",
        Gatehouse_Link_V1_LoginRequest.with {
          $0.token = workspace.token
          $0.csrDer = Data(csr)
        }
      )
    }
    #expect(refused?.code == .unauthenticated)
    // Nor is it used up by that.
    _ = try await test.enroll(workspace.token)
    await test.stop()
  }

  @Test func `a daemon that renews again and again is told to wait`() async throws {
    let test = try await TestPlane()
    let daemon = try await test.mutual(test.enroll(test.external("a1").token))
    let csr = try CertificateRequest(for: .generate()).der
    let refused = await status {
      for _ in 0..<30 {
        let _: Gatehouse_Link_V1_RenewResponse = try await daemon.ask(
          "/gatehouse.link.v1.Link/Renew",
          Gatehouse_Link_V1_RenewRequest.with { $0.csrDer = Data(csr) }
        )
      }
    }
    #expect(refused?.code == .resourceExhausted)
    await test.stop()
  }

  @Test func `a renewed certificate is the same identity with a new key`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    let daemon = try await test.mutual(test.enroll(workspace.token))
    let key = try PrivateKey.generate()
    let csr = try CertificateRequest(for: key).der
    let response: Gatehouse_Link_V1_RenewResponse = try await daemon.ask(
      "/gatehouse.link.v1.Link/Renew",
      Gatehouse_Link_V1_RenewRequest.with { $0.csrDer = Data(csr) }
    )
    let leaf = try Certificate(der: Array(try #require(response.certificatesDer.first)))
    #expect(leaf.uriNames == ["spiffe://gatehouse.local/workspace/\(workspace.id)"])
    #expect(leaf.publicKeyPin == key.publicKey.pin)
    _ = try await test.mutual(TestPlane.identity(response.certificatesDer, key))
    await test.stop()

    // Token, certificate and the next one are on record, with who asked and until when.
    let ledger = try Ledger(in: test.state.folder, LedgerOptions(origin: "none") { 0 })
    let events = try await ledger.read(from: 1, limit: 100)
    await ledger.close()
    func event(_ kind: EventKind) throws -> LedgerEvent {
      try #require(events.first { $0.header.kind == kind })
    }
    let token = try event(.tokenMade)
    #expect(token.header.principal?.id == "spiffe://gatehouse.local/user/admin")
    #expect(token.header.workspace == workspace.id)
    #expect(token.decoded?.tokenMade.identity == leaf.uriNames[0])
    #expect((token.decoded?.tokenMade.untilUnix ?? 0) > 1_700_000_000)
    let renewed = try event(.renewed)
    #expect(renewed.header.principal?.id == leaf.uriNames[0])
    #expect(renewed.header.principal?.keyPin != nil)
    #expect(renewed.header.workspace == workspace.id)
    let made = try #require(renewed.decoded?.renewed)
    #expect(made.serial == leaf.serial)
    #expect(made.untilUnix == UInt64(leaf.notAfter))
    #expect(Array(made.keyPin) == SHA256.hash(key.publicKey.der))
    #expect(try event(.enrolled).decoded?.enrolled.serial.isEmpty == false)
  }

  @Test(arguments: [-86_400, 86_400] as [Int64])
  func `a clock that is set does not end a token, nor keep it`(by step: Int64) async throws {
    let now = ThisProcess.unixTime
    let clock = Atomic<Int64>(now)
    let test = try await TestPlane { $0.clock = { clock.load(ordering: .relaxed) } }
    let workspace = try await test.external("a1")
    clock.store(now + step, ordering: .relaxed)
    _ = try await test.enroll(workspace.token)
    await test.stop()
  }

  @Test func `a deleted workspace's certificate opens nothing`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    let identity = try await test.enroll(workspace.token)
    let admin = try await test.admin()
    let _: Gatehouse_Plane_V1_DeleteWorkspaceResponse = try await admin.ask(
      "/gatehouse.plane.v1.Workspaces/Delete",
      Gatehouse_Plane_V1_DeleteWorkspaceRequest.with { $0.workspace = "a1" }
    )
    let daemon = try await test.mutual(identity)
    let refused = await status { _ = try await daemon.unary("/gatehouse.link.v1.Link/Renew", []) }
    #expect(
      refused?.description == "NOT_FOUND: workspace \(workspace.id) was deleted"
    )
    await test.stop()
  }

  @Test func `stopping a workspace ends its daemon's connection`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    let identity = try await test.enroll(workspace.token)
    let daemon = try await test.mutual(identity)
    let (ends, end) = AsyncStream<RPCStatus>.makeStream()
    await daemon.whenClosed { end.yield($0) }
    let _: Gatehouse_Plane_V1_StopWorkspaceResponse = try await test.admin().ask(
      "/gatehouse.plane.v1.Workspaces/Stop",
      Gatehouse_Plane_V1_StopWorkspaceRequest.with { $0.workspace = workspace.id }
    )
    for await _ in ends { break }
    let again = try await test.mutual(identity)
    let refused = await status { _ = try await again.unary("/gatehouse.link.v1.Link/Renew", []) }
    #expect(
      refused?.description == "UNAUTHENTICATED: workspace 'a1' is stopped; start it first"
    )
    await test.stop()
  }

  @Test func `attempts from one address are limited`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    let connection = try await test.open()
    let csr = try CertificateRequest(for: .generate()).der
    let request =
      try Gatehouse_Link_V1_EnrollRequest.with {
        $0.token = "x"
        $0.csrDer = Data(csr)
      }.serializedBytes() as [UInt8]
    let began = ContinuousClock.now
    // All at once: on a busy machine one after the other they would take longer than the limit is for.
    let codes = await withTaskGroup(of: RPCStatus.Code?.self) { group in
      for _ in 0..<150 {
        group.addTask {
          await status {
            _ = try await connection.unary("/gatehouse.link.v1.Enrollment/Enroll", request)
          }?.code
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let seconds = Int((.now - began) / .seconds(1))
    let tried = codes.count { $0 == .unauthenticated }
    #expect((20...21 + seconds).contains(tried))
    #expect(codes.count { $0 == .resourceExhausted } == 150 - tried)
    // Who has a token is not kept out by those who have none.
    _ = try await test.enroll(workspace.token)
    await test.stop()
  }
}
