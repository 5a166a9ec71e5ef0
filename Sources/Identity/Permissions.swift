/// Where a connection came in.
package enum Listener: String, Sendable, Hashable, CaseIterable {
  /// Requires a client certificate in the handshake.
  case mutual
  /// Only the plane is authenticated.
  case open
  /// Loopback, for probes.
  case admin
}

/// What a call needs its caller to be allowed.
package enum Permission: String, Sendable, Hashable, CaseIterable {
  case probe
  case reflect
  case enroll
  case link
  case invokeTools
  case readCalls
  case manageWorkspaces
  case readLinks
  case chat
  case readAudit
}

/// Who may call which method, where: one table, and nothing is reachable without an entry.
package struct Permissions: Sendable {
  package struct Entry: Sendable, Equatable {
    package let permission: Permission
    package let listeners: Set<Listener>
    /// Who holds the permission; nil: anyone, with or without a certificate.
    package let kinds: Set<PrincipalKind>?
  }

  package enum Decision: Sendable, Equatable {
    case allowed(Permission)
    /// No such method, or not on this listener: `UNIMPLEMENTED`.
    case notServed(String)
    /// `UNAUTHENTICATED`
    case unauthenticated(String)
    /// `PERMISSION_DENIED`
    case denied(String)
  }

  /// The plane's table.
  package static let standard = Permissions(
    [
      (.probe, [.mutual, .open, .admin], nil, "grpc.health.v1.Health", ["Check", "Watch"]),
      (
        .reflect, [.mutual], Set(PrincipalKind.allCases), "grpc.reflection.v1.ServerReflection",
        ["ServerReflectionInfo"]
      ),
      (
        .reflect, [.mutual], Set(PrincipalKind.allCases),
        "grpc.reflection.v1alpha.ServerReflection", ["ServerReflectionInfo"]
      ),
      (.enroll, [.open], nil, "gatehouse.link.v1.Enrollment", ["Enroll", "Login"]),
      (
        .link, [.mutual], [.workspace], "gatehouse.link.v1.Link",
        ["Connect", "Carry", "Tunnel", "Renew"]
      ),
      (.invokeTools, [.mutual], people, "gatehouse.tools.v1.Tools", ["Invoke", "Cancel"]),
      (.readCalls, [.mutual], people, "gatehouse.tools.v1.Tools", ["Follow", "Poll", "List"]),
      (
        .manageWorkspaces, [.mutual], people, "gatehouse.plane.v1.Workspaces",
        ["Create", "Start", "Stop", "Delete", "List", "MakeToken"]
      ),
      (.readLinks, [.mutual], people, "gatehouse.plane.v1.Links", ["List", "Show"]),
      // Who sees what of it is decided event by event.
      (
        .readAudit, [.mutual], people, "gatehouse.plane.v1.Audit",
        ["Search", "Show", "Why", "Diff", "Verify", "Rebuild", "Erase", "RotateKey"]
      ),
      (
        .chat, [.mutual], people, "gatehouse.plane.v1.Chats",
        ["Start", "Send", "Follow", "Stop", "List"]
      ),
    ])

  private typealias Row = (
    permission: Permission, listeners: Set<Listener>, kinds: Set<PrincipalKind>?, service: String,
    methods: [String]
  )

  private static let people: Set<PrincipalKind> = [.user, .service]

  private var entries: [String: Entry] = [:]

  private init(_ rows: [Row]) {
    for row in rows {
      for method in row.methods {
        entries["/\(row.service)/\(method)"] = Entry(
          permission: row.permission,
          listeners: row.listeners,
          kinds: row.kinds
        )
      }
    }
  }

  /// All methods with an entry, as `/package.Service/Method`.
  package var methods: [String] { entries.keys.sorted() }

  /// The full names of all services with an entry.
  package var services: Set<String> {
    Set(entries.keys.map { String($0.dropFirst().prefix { $0 != "/" }) })
  }

  package func entry(for method: String) -> Entry? { entries[method] }

  /// Whether a call may go on. `method` is the full path, `/package.Service/Method`; `principal` is
  /// whom the peer's certificate was mapped to, or why it is nobody.
  package func decide(
    _ method: String,
    on listener: Listener,
    by principal: Result<Principal, MappingRefusal>
  ) -> Decision {
    guard let entry = entries[method] else { return .notServed("there is no method \(method)") }
    guard entry.listeners.contains(listener) else {
      return .notServed("\(method) is not served on the \(listener.rawValue) listener")
    }
    guard let kinds = entry.kinds else { return .allowed(entry.permission) }
    switch principal {
    case .failure(let refusal): return .unauthenticated(refusal.description)
    case .success(let principal):
      guard kinds.contains(principal.kind) else {
        return .denied("a \(principal.kind.rawValue) may not call \(method)")
      }
      return .allowed(entry.permission)
    }
  }
}
