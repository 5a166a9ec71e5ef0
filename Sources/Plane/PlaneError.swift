internal import RPC

/// Why the plane did not do something. The message names the thing and the remedy; it may cross
/// the wire unless the code is `internalError`.
package struct PlaneError: Error, Equatable, CustomStringConvertible {
  package enum Code: Sendable, Equatable {
    case invalidArgument
    case notFound
    case alreadyExists
    case failedPrecondition
    /// Something else is doing it; try again.
    case aborted
    case unavailable
    case resourceExhausted
    case unauthenticated
    case permissionDenied
    /// The plane's own machine failed it. The message may hold paths.
    case internalError
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

extension PlaneError {
  /// As the peer is told.
  var status: RPCStatus {
    switch code {
    case .invalidArgument: RPCStatus(.invalidArgument, message)
    case .notFound: RPCStatus(.notFound, message)
    case .alreadyExists: RPCStatus(.alreadyExists, message)
    case .failedPrecondition: RPCStatus(.failedPrecondition, message)
    case .aborted: RPCStatus(.aborted, message)
    case .unavailable: RPCStatus(.unavailable, message)
    case .resourceExhausted: RPCStatus(.resourceExhausted, message)
    case .unauthenticated: RPCStatus(.unauthenticated, message)
    case .permissionDenied: RPCStatus(.permissionDenied, message)
    case .internalError: RPCStatus(.internalError, "the plane failed; its log says why")
    }
  }
}
