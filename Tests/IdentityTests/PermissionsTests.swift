internal import Testing

@testable internal import Identity

@Suite struct `The permission table` {
  private let table = Permissions.standard
  private let nobody = Result<Principal, MappingRefusal>.failure(
    MappingRefusal(.noCertificate, "no client certificate was sent")
  )

  private func someone(_ kind: PrincipalKind) throws -> Result<Principal, MappingRefusal> {
    let id = try #require(SPIFFEID(.development, kind, "x"))
    return .success(Principal(id: id, issuerPin: "", certificatePin: ""))
  }

  @Test func `a method without an entry is reachable by nobody`() throws {
    for listener in Listener.allCases {
      guard
        case .notServed = table.decide("/a.B/C", on: listener, by: try someone(.user))
      else {
        Issue.record("reachable on \(listener)")
        continue
      }
    }
  }

  @Test(arguments: ["Connect", "Carry", "Tunnel", "Renew"])
  func `only workspaces link, on the mutual listener`(method: String) throws {
    let path = "/gatehouse.link.v1.Link/\(method)"
    #expect(table.decide(path, on: .mutual, by: try someone(.workspace)) == .allowed(.link))
    for kind in [PrincipalKind.user, .service, .plane] {
      #expect(
        table.decide(path, on: .mutual, by: try someone(kind))
          == .denied("a \(kind.rawValue) may not call \(path)")
      )
    }
    #expect(
      table.decide(path, on: .open, by: try someone(.workspace))
        == .notServed("\(path) is not served on the open listener")
    )
  }

  @Test(arguments: [
    "/gatehouse.tools.v1.Tools/Invoke", "/gatehouse.plane.v1.Workspaces/Delete",
    "/gatehouse.plane.v1.Chats/Start",
  ])
  func `a workspace may not act as a person`(path: String) throws {
    #expect(
      table.decide(path, on: .mutual, by: try someone(.workspace))
        == .denied("a workspace may not call \(path)")
    )
    guard case .allowed = table.decide(path, on: .mutual, by: try someone(.user)) else {
      Issue.record("a user may not call \(path)")
      return
    }
  }

  @Test func `nobody gets the reason why they are nobody`() {
    #expect(
      table.decide("/gatehouse.tools.v1.Tools/List", on: .mutual, by: nobody)
        == .unauthenticated("no client certificate was sent")
    )
  }

  @Test func `health is for everyone everywhere`() {
    for listener in Listener.allCases {
      #expect(
        table.decide("/grpc.health.v1.Health/Check", on: listener, by: nobody) == .allowed(.probe)
      )
    }
  }

  @Test func `enrollment is on the open listener only`() {
    let path = "/gatehouse.link.v1.Enrollment/Enroll"
    #expect(table.decide(path, on: .open, by: nobody) == .allowed(.enroll))
    #expect(
      table.decide(path, on: .mutual, by: nobody)
        == .notServed("\(path) is not served on the mutual listener")
    )
  }
}
