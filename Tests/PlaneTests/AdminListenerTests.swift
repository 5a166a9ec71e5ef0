internal import EventLoop
internal import Testing

@testable internal import Plane

@Suite(.timeLimit(.minutes(1))) struct `The admin listener` {
  private final class Held {
    let socket: Socket

    init(to address: SocketAddress) throws { socket = try Socket.connecting(to: address) }
  }

  @Test func `answers although others hold all its connections and say nothing`() async throws {
    let test = try await TestPlane()
    let admin = test.plane.addresses.admin
    let target = try #require(try SocketAddress.resolve(admin.host, port: admin.port).first)
    let held = try (0..<AdminListener.maxConnections).map { _ in try Held(to: target) }
    #expect(
      try await test.probe("GET /healthz HTTP/1.1\r\nHost: plane\r\n\r\n").hasPrefix(
        "HTTP/1.1 200 OK"
      )
    )
    #expect(held.count == AdminListener.maxConnections)
    await test.stop()
  }

  @Test func `answers one who says behind the request that no more comes`() async throws {
    let test = try await TestPlane()
    let answer = try await test.probe(
      "GET /metrics HTTP/1.1\r\nHost: plane\r\n\r\n",
      halfCloses: true
    )
    #expect(answer.hasPrefix("HTTP/1.1 200 OK") && answer.contains("gatehouse_"))
    await test.stop()
  }

  @Test func `refuses at once a request whose lines end without CR`() async throws {
    let test = try await TestPlane()
    #expect(try await test.probe("GET /healthz HTTP/1.1\n\n").hasPrefix("HTTP/1.1 400 "))
    await test.stop()
  }
}
