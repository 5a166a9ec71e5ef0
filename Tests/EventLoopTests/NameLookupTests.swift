internal import CLinux
import Testing

@testable import EventLoop

@Suite(.timeLimit(.minutes(5))) struct `Looking up a name` {
  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1:7443"), ("::1", "[::1]:7443"), ("fe80::1%lo", "[fe80::1]:7443"),
  ])
  func `takes an address as it is`(host: String, shown: String) throws {
    // Nobody is asked: there is nobody at this port.
    let found = try resolve(host, asking: "127.0.0.1:1")
    #expect(found.map(\.description) == [shown])
  }

  @Test func `keeps the interface of a link-local address`() throws {
    let address = try #require(SocketAddress(numeric: "fe80::1%lo", port: 1))
    #expect(address.bytes.count == 28)
    #expect(address.bytes[24..<28].contains { $0 != 0 })
    #expect(SocketAddress(numeric: "fe80::1%no-such-interface", port: 1) == nil)
  }

  @Test(arguments: ["", "a\0b", String(repeating: "a.", count: 127)])
  func `refuses what is no host name`(host: String) {
    let error = #expect(throws: ResolutionError.self) { try resolve(host, asking: "127.0.0.1:1") }
    #expect(error?.reason == "this is no host name")
  }

  @Test(arguments: ["localhost", "not-in-hosts.localhost"])
  func `knows this machine when nobody answers`(host: String) throws {
    let found = try resolve(host, asking: "127.0.0.1:1")
    #expect(found.contains { $0.description == "127.0.0.1:7443" })
  }

  @Test func `gives all addresses that a server names`() async throws {
    try await withNameServer {
      $0.answer(v4: [192, 0, 2, 7], v6: [0x20, 0x01, 0x0d, 0xb8] + zeros(11) + [9])
    } ask: { server in
      let found = try resolve("plane.example", asking: server).map(\.description)
      #expect(Set(found) == ["192.0.2.7:7443", "[2001:db8::9]:7443"])
    }
  }

  @Test func `says that there is no such name`() async throws {
    try await withNameServer {
      $0.noSuchName()
    } ask: { server in
      let error = #expect(throws: ResolutionError.self) {
        try resolve("plane.example", asking: server)
      }
      #expect(error?.description == "no address for 'plane.example': there is no such name")
    }
  }

  @Test func `ends at its deadline when the server is silent`() async throws {
    try await withNameServer { _ in
      nil
    } ask: { server in
      let start = ContinuousClock.now
      let error = #expect(throws: ResolutionError.self) {
        try resolve("plane.example", asking: server, within: .milliseconds(300))
      }
      #expect(error?.reason.hasPrefix("no name server answered") == true)
      #expect((.milliseconds(300)..<(.seconds(4))).contains(.now - start))
    }
  }

  @Test func `says at once that no server is there`() throws {
    let error = #expect(throws: ResolutionError.self) {
      try resolve("plane.example", asking: "127.0.0.1:1")
    }
    #expect(error?.reason.hasPrefix("no name server answered") == true)
  }

  private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  private func resolve(
    _ host: String,
    asking servers: String,
    within limit: Duration = .seconds(10)
  ) throws -> [SocketAddress] {
    try SocketAddress.resolve(host, port: 7_443, until: .now + limit, servers: servers)
  }

  /// Answers queries with `answer` as long as `ask` runs; `nil` is silence.
  private func withNameServer(
    _ answer: @escaping @Sendable (Query) -> [UInt8]?,
    ask: (_ address: String) throws -> Void
  ) async throws {
    let server = try NameServer()
    let thread = WorkerPool(name: "name server", threads: 1)
    try thread.submit { while let query = server.next() { server.reply(answer(query)) } }
    defer { server.close() }
    try ask("127.0.0.1:\(server.port)")
  }
}

/// A question to a name server (RFC 1035 §4.1).
private struct Query: Sendable {
  let bytes: [UInt8]

  /// 1 for IPv4, 28 for IPv6 (RFC 3596): after the header, the name and its end.
  private var questionEnd: Int { (bytes[12...].firstIndex(of: 0) ?? 12) + 5 }
  private var kind: UInt8 { bytes[questionEnd - 3] }

  func answer(v4: [UInt8], v6: [UInt8]) -> [UInt8] {
    let address = kind == 1 ? v4 : v6
    // The name is where the question has it; class IN; a minute to live.
    let record = [0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, UInt8(address.count)] + address
    return head(code: 0, answers: 1) + record
  }

  func noSuchName() -> [UInt8] { head(code: 3, answers: 0) }

  private func head(code: UInt8, answers: UInt8) -> [UInt8] {
    Array(bytes[..<2]) + [0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0] + bytes[12..<questionEnd]
  }
}

/// A UDP socket on a free port of the loopback interface.
private final class NameServer: @unchecked Sendable {
  // Why @unchecked: one thread serves; `close` only shuts the socket down.
  private let socket: Int32
  private var asker = sockaddr_in()
  let port: UInt16

  init() throws {
    socket = CLinux.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (number, length) = (socket, size)
    let bound = unsafe withUnsafePointer(to: &address) {
      unsafe bind(number, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), length)
    }
    try #require(bound == 0)
    let named = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe getsockname(
        number,
        UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self),
        &size
      )
    }
    try #require(named == 0)
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit { _ = CLinux.close(socket) }

  func next() -> Query? {
    var bytes = [UInt8](repeating: 0, count: 512)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = unsafe withUnsafeMutablePointer(to: &asker) {
      unsafe recvfrom(
        socket,
        &bytes,
        512,
        0,
        UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self),
        &size
      )
    }
    return count > 12 ? Query(bytes: Array(bytes[..<count])) : nil
  }

  func reply(_ bytes: [UInt8]?) {
    guard let bytes else { return }
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = unsafe withUnsafePointer(to: &asker) {
      unsafe sendto(
        socket,
        bytes,
        bytes.count,
        0,
        UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
        size
      )
    }
  }

  func close() { _ = shutdown(socket, Int32(SHUT_RDWR)) }
}
