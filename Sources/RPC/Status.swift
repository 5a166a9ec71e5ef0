/// How a call ended, in gRPC's terms (grpc/doc/statuscodes.md).
///
/// `message` is written for the peer: it names the thing and the remedy, and holds no secrets.
package struct RPCStatus: Error, Equatable, CustomStringConvertible {
  package var code: Code
  package var message: String
  /// Further trailers.
  package var trailers = Metadata()
  /// No application saw the call, so it may be made again (RFC 9113 §8.7). Stays on this side.
  package var isUnprocessed = false

  package init(_ code: Code, _ message: String = "", isUnprocessed: Bool = false) {
    self.code = code
    self.message = message
    self.isUnprocessed = isUnprocessed
  }

  package static let ok = RPCStatus(.ok)

  package var isOK: Bool { code == .ok }

  package var description: String { message.isEmpty ? code.name : "\(code.name): \(message)" }

  /// The seventeen codes; their numbers are the wire's.
  package enum Code: Int, Sendable, CaseIterable {
    case ok = 0
    case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists
    case permissionDenied, resourceExhausted, failedPrecondition, aborted, outOfRange
    case unimplemented, internalError, unavailable, dataLoss, unauthenticated

    /// As gRPC spells it: `DEADLINE_EXCEEDED`.
    package var name: String {
      if self == .internalError { return "INTERNAL" }
      var name = ""
      for character in "\(self)" {
        if character.isUppercase { name.append("_") }
        name += character.uppercased()
      }
      return name
    }
  }

  /// What an answer without `grpc-status` means (grpc/doc/http-grpc-status-mapping.md).
  static func forHTTP(_ status: Int) -> RPCStatus {
    let code: Code =
      switch status {
      case 400: .internalError
      case 401: .unauthenticated
      case 403: .permissionDenied
      case 404: .unimplemented
      case 429, 502, 503, 504: .unavailable
      default: .unknown
      }
    return RPCStatus(code, "the server answered HTTP \(status) without a gRPC status")
  }
}
