internal import RPC
internal import SwiftProtobuf
internal import FoundationEssentials
internal import Logging

extension Service {
  /// A method with one request and one response. A `PlaneError` it throws becomes its status.
  mutating func answer<Request: Message, Response: Message>(
    _ path: String,
    _ body: @escaping @Sendable (Request, ServerCall) async throws -> Response
  ) {
    unary(path) { bytes, call in
      let request: Request
      do {
        request = try Request(serializedBytes: bytes)
      } catch {
        throw RPCStatus(.internalError, "the request is no \(Request.protoMessageName)")
      }
      do {
        return try await body(request, call).serializedBytes()
      } catch let error as PlaneError {
        if error.code == .internalError {
          Plane.log.error("call_failed", metadata: ["method": "\(path)", "error": "\(error)"])
        }
        throw error.status
      }
    }
  }
}
