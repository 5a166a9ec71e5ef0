internal import Crypto
internal import EventLoop
internal import Host
internal import Identity
internal import RPC
internal import SwiftProtobuf
internal import TLS
internal import Testing
internal import Wire

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `A plane` {
  @Test func `its admin sees the workspaces they made, after a restart too`() async throws {
    let test = try await TestPlane()
    let workspace = try await test.external("a1")
    await test.stop()
    let again = try await TestPlane(state: test.state)
    let list: Gatehouse_Plane_V1_ListWorkspacesResponse = try await again.admin().ask(
      "/gatehouse.plane.v1.Workspaces/List",
      Gatehouse_Plane_V1_ListWorkspacesRequest()
    )
    #expect(list.workspaces.map(\.id) == [workspace.id])
    #expect(list.workspaces.first?.state == .pending)
    #expect(list.workspaces.first?.owner == "spiffe://gatehouse.local/user/admin")
    await again.stop()
  }

  @Test func `a second one on the same folder is refused`() async throws {
    let test = try await TestPlane()
    await #expect {
      try await TestPlane(state: test.state)
    } throws: { "\($0)".hasPrefix("a plane already runs on \(test.state.folder.path); ") }
    await test.stop()
  }

  @Test func `a name that could not be written down is free again`() async throws {
    let test = try await TestPlane()
    // A folder in its place refuses the file, to root as well.
    try test.state.folder.remove("workspaces.json")
    try test.state.folder.makeFolder("workspaces.json/in-the-way")
    #expect(await status { _ = try await test.external("a1") }?.code == .internalError)
    try test.state.folder.removeFolder("workspaces.json")
    _ = try await test.external("a1")
    await test.stop()
  }

  @Test func `an address in use is named`() async throws {
    let test = try await TestPlane()
    let other = try TemporaryState()
    var configuration = TestPlane.configuration(other, daemon: "/bin/false")
    configuration.listenOpen = test.plane.addresses.open
    let taken = configuration
    await #expect {
      _ = try await Plane(taken)
    } throws: { "\($0)".hasPrefix("listen on 127.0.0.1:") }
    await test.stop()
  }

  @Test func `what is served and what has an entry are the same, on each listener`() async throws {
    let test = try await TestPlane()
    let parts = test.plane.parts
    let table = Permissions.standard
    let served: [(Listener, Service)] = [
      (.mutual, parts.mutualService(test.plane.listeners)), (.open, parts.openService),
    ]
    for (listener, service) in served {
      let listed = table.methods.filter {
        table.entry(for: $0)?.listeners.contains(listener) == true
      }
      #expect(service.paths.sorted() == listed)
    }
    await test.stop()
  }

  @Test func `a method without an entry is unimplemented`() async throws {
    let test = try await TestPlane()
    let admin = try await test.admin()
    let refused = await status { _ = try await admin.unary("/gatehouse.none.v1.None/Do", []) }
    #expect(refused?.code == .unimplemented)
    await test.stop()
  }

  @Test func `the open listener serves nothing of the mutual one`() async throws {
    let test = try await TestPlane()
    let open = try await test.open()
    let refused = await status {
      _ = try await open.unary("/gatehouse.plane.v1.Workspaces/List", [])
    }
    #expect(refused?.code == .unimplemented)
    await test.stop()
  }

  @Test func `the mutual listener refuses a peer without a certificate`() async throws {
    let test = try await TestPlane()
    let refused = await status {
      let connection = try await test.mutual(nil)
      _ = try await connection.unary("/gatehouse.plane.v1.Workspaces/List", [])
    }
    #expect(refused?.code == .unavailable)
    await test.stop()
  }

  @Test func `the server's key signs no client`() async throws {
    let test = try await TestPlane()
    let identity = TLSIdentity(
      chainPEM: try test.text("pki/server.pem"),
      keyPEM: try test.text("pki/server.key")
    )
    let refused = await status {
      let connection = try await test.mutual(identity)
      _ = try await connection.unary("/gatehouse.plane.v1.Workspaces/List", [])
    }
    #expect(refused?.code == .unavailable)
    await test.stop()
  }

  @Test func `refusals and failed handshakes are counted by reason`() async throws {
    let test = try await TestPlane()
    let open = try await test.open()
    _ = await status { _ = try await open.unary("/gatehouse.plane.v1.Workspaces/List", []) }
    let refusals = "gatehouse_refusals_total{listener=\"open\",reason=\"unimplemented\"}"
    #expect(try await test.metric(refusals) == 1)
    _ = await status {
      let connection = try await test.mutual(nil)
      _ = try await connection.unary("/gatehouse.plane.v1.Workspaces/List", [])
    }
    let failures = "gatehouse_handshake_failures_total{listener=\"mutual\","
    #expect(try await test.metric(failures + "reason=\"certificate_missing\"}") == 1)
    #expect(try await test.metric(failures + "reason=\"timeout\"}") == 0)
    await test.stop()
  }

  @Test func `a workspace without a link is told as such`() async throws {
    let test = try await TestPlane()
    _ = try await test.external("a1")
    let admin = try await test.admin()
    let refused = await status {
      let _: Gatehouse_Plane_V1_ShowLinkResponse = try await admin.ask(
        "/gatehouse.plane.v1.Links/Show",
        Gatehouse_Plane_V1_ShowLinkRequest.with { $0.workspace = "a1" }
      )
    }
    #expect(refused?.code == .failedPrecondition)
    #expect(refused?.message.hasPrefix("workspace 'a1' is not linked; ") == true)
    let unknown = await status {
      let _: Gatehouse_Plane_V1_ShowLinkResponse = try await admin.ask(
        "/gatehouse.plane.v1.Links/Show",
        Gatehouse_Plane_V1_ShowLinkRequest.with { $0.workspace = "none" }
      )
    }
    #expect(unknown?.code == .notFound)
    await test.stop()
  }

  @Test func `health is told on both listeners`() async throws {
    let test = try await TestPlane()
    for connection in [try await test.open(), try await test.admin()] {
      let answer: Google_Protobuf_Int32Value = try await connection.ask(
        "/grpc.health.v1.Health/Check",
        Google_Protobuf_StringValue()
      )
      #expect(answer.value == 1)
      let unknown = await status {
        let _: Google_Protobuf_Int32Value = try await connection.ask(
          "/grpc.health.v1.Health/Check",
          Google_Protobuf_StringValue("no.Such")
        )
      }
      #expect(unknown?.code == .notFound)
    }
    await test.stop()
  }

  @Test func `a watcher of health hears that the plane stops`() async throws {
    let test = try await TestPlane()
    let watch = try await test.open().openStream("/grpc.health.v1.Health/Watch")
    try await watch.send([])
    await watch.halfClose()
    let first = try Google_Protobuf_Int32Value(
      serializedBytes: try #require(try await watch.next())
    )
    #expect(first.value == 1)
    await test.plane.stop()
    let second = try Google_Protobuf_Int32Value(
      serializedBytes: try #require(try await watch.next())
    )
    #expect(second.value == 2)
  }

  @Test(arguments: [
    ("GET /healthz", "200 OK", "ok\n"), ("GET /readyz", "200 OK", "ready\n"),
    ("GET /metrics", "200 OK", "gatehouse_workspaces 0\n"),
    ("GET /none", "404 Not Found", "/healthz"), ("POST /healthz", "405 Method", "use GET"),
    ("nonsense", "400 Bad Request", "Bad"),
  ])
  func `the admin listener answers probes`(
    request: String,
    status: String,
    body: String
  ) async throws {
    let test = try await TestPlane()
    let answer = try await test.probe("\(request) HTTP/1.1\r\nHost: plane\r\n\r\n")
    #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
    #expect(answer.contains(body))
    await test.stop()
  }

  @Test func `a local workspace whose daemon ends at once is not kept`() async throws {
    let test = try await TestPlane(daemon: "/bin/false")
    let admin = try await test.admin()
    let refused = await status {
      let _: Gatehouse_Plane_V1_CreateWorkspaceResponse = try await admin.ask(
        "/gatehouse.plane.v1.Workspaces/Create",
        Gatehouse_Plane_V1_CreateWorkspaceRequest.with {
          $0.name = "a1"
          $0.local = .init()
        }
      )
    }
    #expect(refused?.code == .unavailable || refused?.code == .internalError)
    #expect(test.plane.registry.all.isEmpty)
    await test.stop()
  }

  @Test(arguments: ["relative", "/no/such/folder"])
  func `a root that is no folder is refused`(root: String) async throws {
    let test = try await TestPlane()
    let admin = try await test.admin()
    let refused = await status {
      let _: Gatehouse_Plane_V1_CreateWorkspaceResponse = try await admin.ask(
        "/gatehouse.plane.v1.Workspaces/Create",
        Gatehouse_Plane_V1_CreateWorkspaceRequest.with {
          $0.name = "a1"
          $0.local.root = root
        }
      )
    }
    #expect(refused?.code == .invalidArgument)
    #expect(test.plane.registry.all.isEmpty)
    await test.stop()
  }

  @Test func `a name is taken once`() async throws {
    let test = try await TestPlane()
    _ = try await test.external("a1")
    #expect(await status { _ = try await test.external("a1") }?.code == .alreadyExists)
    await test.stop()
  }
}
