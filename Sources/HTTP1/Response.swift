/// An answer with its whole body, after which the connection closes.
package struct HTTP1Response: Sendable, Equatable {
  package struct Status: Sendable, Equatable {
    package let code: Int
    package let reason: String

    package static let ok = Status(code: 200, reason: "OK")
    package static let badRequest = Status(code: 400, reason: "Bad Request")
    package static let notFound = Status(code: 404, reason: "Not Found")
    package static let methodNotAllowed = Status(code: 405, reason: "Method Not Allowed")
    package static let contentTooLarge = Status(code: 413, reason: "Content Too Large")
    package static let headTooLarge = Status(code: 431, reason: "Request Header Fields Too Large")
    package static let unavailable = Status(code: 503, reason: "Service Unavailable")
    package static let versionNotSupported = Status(code: 505, reason: "HTTP Version Not Supported")
  }

  package let status: Status
  package let contentType: String
  package let body: String

  package init(
    _ status: Status,
    _ body: String,
    contentType: String = "text/plain; charset=utf-8"
  ) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// The bytes to send. An answer to HEAD has no body, but its length.
  package func bytes(forHead isHead: Bool = false) -> [UInt8] {
    var text = "HTTP/1.1 \(status.code) \(status.reason)\r\n"
    text += "content-type: \(contentType)\r\n"
    text += "content-length: \(body.utf8.count)\r\n"
    text += "cache-control: no-store\r\nconnection: close\r\n"
    if status == .methodNotAllowed { text += "allow: GET, HEAD\r\n" }
    text += "\r\n"
    return Array((isHead ? text : text + body).utf8)
  }
}
