internal import CCurl
internal import Glibc
internal import Synchronization

/// An HTTP client on libcurl's multi interface: HTTP/1.1 and 2, proxies from the environment,
/// certificates verified, redirects not followed (they would carry a key elsewhere).
///
/// All transfers run on one thread of its own; what crosses to it is a mailbox. It ends with the
/// client.
package final class HTTPClient: Sendable {
  private let engine: CurlEngine

  /// - Throws: `HTTPError` when curl or a thread can't be had.
  package init() throws(HTTPError) {
    engine = try CurlEngine.start()
  }

  deinit { engine.close() }

  /// Sends a request and lends the response to `read`. The transfer ends when `read` returns, or
  /// when the task is cancelled.
  ///
  /// - Throws: `HTTPError`, `CancellationError`, and what `read` throws.
  package func send<Result>(
    _ request: HTTPRequest,
    read: (HTTPHead, HTTPBody) async throws -> Result
  ) async throws -> Result {
    let transfer = Transfer(request)
    engine.post(.start(transfer))
    defer { engine.post(.end(transfer)) }
    let body = HTTPBody(transfer: transfer, engine: engine)
    return try await read(try await transfer.head(), body)
  }
}

/// The bytes of a response, as they arrive. At most 256 KiB wait here; then the server waits.
package struct HTTPBody: Sendable {
  fileprivate let transfer: Transfer
  fileprivate let engine: CurlEngine

  /// What arrived since the last time, at least one byte; `nil` at the end.
  ///
  /// - Throws: `HTTPError` when the transfer failed, after all that had arrived was returned.
  package func next() async throws -> [UInt8]? {
    let (bytes, wasPaused) = try await transfer.take()
    if wasPaused { engine.post(.resume(transfer)) }
    return bytes
  }

  /// All that is left, cut at `limit` bytes.
  package func collect(limit: Int) async throws -> [UInt8] {
    var all: [UInt8] = []
    while all.count < limit, let bytes = try await next() { all += bytes }
    return Array(all.prefix(limit))
  }
}
