internal import EventLoop
internal import RPC
package import SwiftProtobuf
internal import TLS

/// A connection to a plane, for typed calls.
package struct PlaneClient: Sendable, Equatable {
  /// Where the plane is, `host:port`.
  let address: String
  private let connection: Connection
  private let loop: EventLoop

  /// - Throws: `ClientError`, naming the plane's address and what it said; `CancellationError`.
  package static func connect(_ settings: ClientSettings) async throws -> PlaneClient {
    do {
      let tls = try TLSContext.client(
        identity: TLSIdentity(chainPEM: settings.certificatePEM, keyPEM: settings.keyPEM),
        authoritiesPEM: settings.authoritiesPEM
      )
      let loop = try EventLoop(name: "client")
      do {
        let connection = try await Connection.connect(to: settings.plane, tls: tls, on: loop)
        return PlaneClient(
          address: settings.plane.description,
          connection: connection,
          loop: loop
        )
      } catch {
        loop.stop()
        throw error
      }
    } catch let status as RPCStatus {
      // The reason begins with the address that was tried, as a rule this one.
      let prefix = "\(settings.plane): "
      let reason =
        status.message.hasPrefix(prefix)
        ? String(status.message.dropFirst(prefix.count)) : status.message
      let remedy = status.remedy(dialling: settings.plane.host)
      throw ClientError(
        "cannot reach the plane at \(settings.plane): \(reason); "
          + (remedy ?? "is it running? ('gatehouse doctor' looks)"),
        isCut: true
      )
    } catch let error as CancellationError {
      throw error
    } catch {
      throw ClientError("cannot use the client identity: \(error)")
    }
  }

  package static func == (one: PlaneClient, other: PlaneClient) -> Bool {
    one.connection === other.connection
  }

  /// Whether more can be asked on it: it was not cut, and the plane is not leaving.
  var isOpen: Bool {
    get async { await connection.isOpen }
  }

  /// Ends the connection, and waits until the plane has heard all that was sent, a second at most: with
  /// output of its own still unread, our leaving could overtake it.
  func finish() async {
    await connection.closeClient()
    await connection.closed()
  }

  /// Ends the connection and its thread.
  package func close() async {
    await connection.closeClient()
    loop.stop()
  }

  /// One request, one response.
  ///
  /// - Parameters:
  ///   - path: `/package.Service/Method`.
  ///   - request: of the method's type, as `Response` is.
  ///   - timeout: `nil` for methods that wait for something to end.
  /// - Returns: the response.
  /// - Throws: `ClientError`; `CancellationError`.
  package func call<Response: Message>(
    _ path: String,
    _ request: some Message,
    timeout: Duration? = .seconds(60)
  ) async throws -> Response {
    do {
      let bytes = try await connection.unary(
        path,
        try request.serializedBytes(),
        timeout: timeout
      )
      return try Response(serializedBytes: bytes)
    } catch let status as RPCStatus {
      throw error(status)
    }
  }

  /// Gives each response of a streaming method to `body`.
  ///
  /// - Throws: `ClientError`; `CancellationError`; what `body` throws.
  package func stream<Response: Message>(
    _ path: String,
    _ request: some Message,
    _ body: (Response) async throws -> Void
  ) async throws {
    do {
      let stream = try await open(path)
      try await stream.send(try request.serializedBytes())
      await stream.halfClose()
      while let bytes = try await stream.next() {
        try await body(try Response(serializedBytes: bytes))
      }
    } catch let status as RPCStatus {
      throw error(status)
    }
  }

  private func error(_ status: RPCStatus) -> ClientError {
    guard status.isUnprocessed else { return ClientError(status) }
    return ClientError(
      "the plane at \(address) is stopping, or has too much to do, and did not take the call: nothing "
        + "was done; try again (\(status.message))",
      isCut: true
    )
  }

  func open(_ path: String) async throws -> ClientStream {
    try await connection.openStream(path)
  }
}
