import Crypto
import EventLoop
import TLS
import TestSupport
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct `Refusals` {
  private static func echo(_ service: inout Service) {
    service.unary("/t.T/Echo") { request, _ in request }
  }

  @Test func `a client without a certificate reads the alert`() async throws {
    let loopback = try await Loopback(Self.echo)
    let tls = try TLSContext.client(identity: nil, authoritiesPEM: loopback.pki.authoritiesPEM)
    // TLS 1.3: the client's side of the handshake is over before the server refuses.
    let error = await #expect(throws: RPCStatus.self) {
      let connection = try await loopback.connect(tls)
      _ = try await connection.unary("/t.T/Echo", [])
    }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("certificate required") == true)
    await loopback.close()
  }

  @Test func `a client of another authority is refused`() async throws {
    let loopback = try await Loopback(Self.echo)
    let stranger = try TestPKI()
    let tls = try TLSContext.client(
      identity: stranger.client("spiffe://test/user/eve"),
      authoritiesPEM: loopback.pki.authoritiesPEM
    )
    let error = await #expect(throws: RPCStatus.self) {
      let connection = try await loopback.connect(tls)
      _ = try await connection.unary("/t.T/Echo", [])
    }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("alert") == true)
    await loopback.close()
  }

  @Test func `a principal has so many connections, and reads why it gets no more`() async throws {
    var limits = ConnectionLimits()
    limits.listener.maxConnectionsPerPrincipal = 2
    let identification = Identification { _ in
      .success(.init(identity: nil, validFor: nil, name: "spiffe://test/user/ann"))
    }
    let loopback = try await Loopback(
      identification: identification,
      limits: limits,
      Self.echo
    )
    let first = try await loopback.connect()
    let second = try await loopback.connect()
    #expect(try await first.unary("/t.T/Echo", [1]) == [1])
    #expect(try await second.unary("/t.T/Echo", [2]) == [2])
    let third = try await loopback.connect()
    let (reasons, reason) = AsyncStream<RPCStatus>.makeStream()
    await third.whenClosed { reason.yield($0) }
    for await status in reasons {
      #expect(status.code == .unavailable)
      break
    }
    #expect(await loopback.server.counters.limitsReached == [.connectionsOfPrincipal: 1])
    #expect(try await first.unary("/t.T/Echo", [3]) == [3])
    await first.closeClient()
    while await loopback.server.connectionCount > 1 { try Task.checkCancellation() }
    let fourth = try await loopback.connect()
    #expect(try await fourth.unary("/t.T/Echo", [4]) == [4])
    await loopback.close()
  }

  @Test func `an expired certificate is refused`() async throws {
    let loopback = try await Loopback(Self.echo)
    let expired = try loopback.pki.identity(
      [.uri("spiffe://test/user/ann")],
      usages: [.client],
      lifetime: .seconds(60),
      at: TestPKI.now - 3_600
    )
    let tls = try TLSContext.client(
      identity: expired,
      authoritiesPEM: loopback.pki.authoritiesPEM
    )
    let error = await #expect(throws: RPCStatus.self) {
      let connection = try await loopback.connect(tls)
      _ = try await connection.unary("/t.T/Echo", [])
    }
    #expect(error?.message.contains("expired") == true)
    await loopback.close()
  }

  @Test func `a server for another name is refused by the client`() async throws {
    let loopback = try await Loopback(Self.echo)
    let error = await #expect(throws: RPCStatus.self) {
      _ = try await Connection.connect(
        to: HostPort(host: "127.0.0.1", port: loopback.server.address.port),
        tls: loopback.pki.clientContext(),
        serverName: "example.org",
        on: loopback.clientLoop
      )
    }
    #expect(error?.message.contains("hostname mismatch") == true)
    await loopback.close()
  }

  @Test func `a good chain that maps to nobody is told why`() async throws {
    let loopback = try await Loopback(
      identification: Identification { _ in
        .failure(RPCStatus(.unauthenticated, "no rule maps this certificate"))
      },
      Self.echo
    )
    let connection = try await loopback.connect()
    let error = await #expect(throws: RPCStatus.self) {
      try await connection.unary("/t.T/Echo", [])
    }
    #expect(error == RPCStatus(.unauthenticated, "no rule maps this certificate"))
    await loopback.close()
  }

  @Test func `who maps to nobody has a moment for that, and few connections`() async throws {
    var limits = ConnectionLimits()
    limits.handshakeTimeout = .milliseconds(500)
    limits.listener.maxConnectionsPerPrincipal = 2
    let status = RPCStatus(.unauthenticated, "no rule maps this certificate")
    let loopback = try await Loopback(
      identification: Identification { _ in .failure(status) },
      limits: limits,
      Self.echo
    )
    let (reasons, reason) = AsyncStream<RPCStatus>.makeStream()
    for _ in 0..<3 {
      let connection = try await loopback.connect()
      await connection.whenClosed { reason.yield($0) }
    }
    var ended = 0
    for await status in reasons {
      #expect(status.code == .unavailable)
      ended += 1
      if ended == 3 { break }
    }
    #expect(await loopback.server.counters.limitsReached == [.connectionsOfPrincipal: 1])
    while await loopback.server.connectionCount > 0 { try Task.checkCancellation() }
    await loopback.close()
  }

  @Test func `authorization is asked for each call`() async throws {
    let loopback = try await Loopback(
      authorization: Authorization { call in
        guard call.metadata["allow"] == "yes" else {
          throw RPCStatus(.permissionDenied, "not for you")
        }
      },
      Self.echo
    )
    let connection = try await loopback.connect()
    #expect(try await connection.unary("/t.T/Echo", [1], metadata: ["allow": "yes"]) == [1])
    let error = await #expect(throws: RPCStatus.self) {
      try await connection.unary("/t.T/Echo", [])
    }
    #expect(error?.code == .permissionDenied)
    await loopback.close()
  }

  @Test func `a connection ends with its certificate`() async throws {
    let loopback = try await Loopback(
      identification: Identification { _ in
        .success(.init(identity: nil, validFor: .milliseconds(50)))
      },
      Self.echo
    )
    let connection = try await loopback.connect()
    let (ends, report) = AsyncStream<RPCStatus>.makeStream()
    await connection.whenClosed { report.yield($0) }
    var iterator = ends.makeAsyncIterator()
    #expect(await iterator.next()?.code == .unavailable)
    await loopback.close()
  }

  @Test func `plain HTTP on the TLS port gets an HTTP answer`() async throws {
    let loopback = try await Loopback(Self.echo)
    let answer = try await PlainSocket.exchange(
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      with: loopback.server.address
    )
    #expect(answer.hasPrefix("HTTP/1.1 400 "))
    #expect(answer.contains("speaks HTTP/2 over TLS"))
    await loopback.close()
  }

  @Test func `a peer that never speaks is cut off`() async throws {
    var limits = ConnectionLimits()
    limits.handshakeTimeout = .milliseconds(50)
    let loopback = try await Loopback(limits: limits, Self.echo)
    #expect(try await PlainSocket.exchange("", with: loopback.server.address) == "")
    await loopback.close()
  }
}

/// A TCP client that knows nothing of TLS.
private enum PlainSocket {
  private static let pool = WorkerPool(name: "plain", threads: 1)

  /// Writes `text`, then reads to the end.
  static func exchange(_ text: String, with address: SocketAddress) async throws -> String {
    try await pool.run {
      let socket = try Socket.connecting(to: address)
      var isSent = text.isEmpty
      var answer: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 4_096)
      while true {
        if !isSent, let sent = try? socket.write(Array(text.utf8).span), sent != .wouldBlock {
          isSent = true
        }
        switch try? socket.read(into: &buffer, atMost: buffer.count) {
        case .bytes(let count): answer += buffer.prefix(count)
        case .end: return String(decoding: answer, as: UTF8.self)
        case .wouldBlock, nil: continue
        }
      }
    }
  }
}
