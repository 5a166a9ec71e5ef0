/// A request for `HTTPClient`.
package struct HTTPRequest: Sendable {
  package var method: String
  /// Absolute, `http` or `https`.
  package var url: String
  package var headers: [HTTPHeader]
  package var body: [UInt8]
  package var limits = HTTPLimits()

  package init(
    method: String = "GET",
    url: String,
    headers: [HTTPHeader] = [],
    body: [UInt8] = []
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

/// One header field, as sent or as received.
package struct HTTPHeader: Sendable, Equatable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// How long a transfer may stand still. Its whole length is the caller's to bound, by cancelling.
package struct HTTPLimits: Sendable {
  /// To resolve, connect and shake hands.
  package var connect: Duration = .seconds(10)
  /// Between bytes, in whole seconds. A transfer that its reader holds up doesn't count.
  package var idle: Duration = .seconds(120)
}

/// The start of a response.
package struct HTTPHead: Sendable, Equatable {
  package var status: Int
  package var headers: [HTTPHeader]

  /// The first field of that name, whatever its case.
  package func value(of name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// Why a transfer failed before its end.
package struct HTTPError: Error, Equatable, CustomStringConvertible {
  package enum Code: Sendable {
    /// The URL is none, or of a scheme other than `http` and `https`.
    case invalidURL
    /// The host has no address.
    case unresolved
    /// No connection within the time, or refused.
    case unreachable
    /// The server's certificate or the handshake was not good.
    case untrusted
    /// Nothing arrived for too long.
    case idle
    /// The connection ended in the middle.
    case cut
    /// What answered does not speak HTTP.
    case notHTTP
    /// The client was closed.
    case closed
    case other
  }

  package var code: Code
  /// curl's words, which may name the host.
  package var reason: String

  package var description: String { reason }
}
