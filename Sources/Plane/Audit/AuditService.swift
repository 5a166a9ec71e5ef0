internal import EventLoop
internal import FoundationEssentials
internal import Identity
internal import Ledger
internal import Logging
internal import RPC
internal import SwiftProtobuf
internal import Wire

extension Audit {
  /// `gatehouse.plane.v1.Audit`.
  var service: Service {
    var service = Service()
    service.answer("/gatehouse.plane.v1.Audit/Show") {
      (request: Gatehouse_Plane_V1_ShowAuditRequest, call) in
      try await told { try await show(request.sequence, for: call.principal) }
    }
    service.answer("/gatehouse.plane.v1.Audit/Why") {
      (request: Gatehouse_Plane_V1_WhyRequest, call) in
      try await told { try await why(request, for: call.principal) }
    }
    service.answer("/gatehouse.plane.v1.Audit/Rebuild") {
      (_: Gatehouse_Plane_V1_RebuildAuditRequest, call) in
      try await told { try await rebuild(for: call.principal) }
    }
    service.answer("/gatehouse.plane.v1.Audit/Erase") {
      (request: Gatehouse_Plane_V1_EraseAuditRequest, call) in
      try await told { try await erase(request, for: call.principal) }
    }
    service.answer("/gatehouse.plane.v1.Audit/RotateKey") {
      (_: Gatehouse_Plane_V1_RotateAuditKeyRequest, call) in
      try await told { try await rotateKey(for: call.principal) }
    }
    service.serverStreaming("/gatehouse.plane.v1.Audit/Search") { bytes, call in
      guard let request = try? Gatehouse_Plane_V1_SearchAuditRequest(serializedBytes: bytes) else {
        throw RPCStatus(.invalidArgument, "the request is no SearchAuditRequest")
      }
      try await streamed {
        try await search(request, for: call.principal) { event in
          try await call.sendWhenRoom(event.serializedBytes())
        }
      }
    }
    service.serverStreaming("/gatehouse.plane.v1.Audit/Diff") { bytes, call in
      guard let request = try? Gatehouse_Plane_V1_DiffRequest(serializedBytes: bytes) else {
        throw RPCStatus(.invalidArgument, "the request is no DiffRequest")
      }
      try await streamed {
        try await diff(request, for: call.principal) { response in
          try await call.sendWhenRoom(response.serializedBytes())
        }
      }
    }
    service.serverStreaming("/gatehouse.plane.v1.Audit/Verify") { _, call in
      try await streamed { try await verify(on: call) }
    }
    return service
  }

  private func verify(on call: ServerCall) async throws {
    let (steps, step) = AsyncStream<Step>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let principal = try call.principal
    async let report = verify(for: principal, step)
    for await (done, total) in steps {
      let progress = Gatehouse_Plane_V1_VerifyAuditResponse.with {
        $0.progress = .with {
          $0.done = done
          $0.total = total
        }
      }
      try await call.sendWhenRoom(progress.serializedBytes())
    }
    let found = try await report
    let last = Gatehouse_Plane_V1_VerifyAuditResponse.with {
      $0.report = .init(found, checkpointFile: checkpointFile)
    }
    try await call.sendWhenRoom(last.serializedBytes())
  }

  /// The ledger's own errors, as peers are told of them.
  private func told<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch let error as LedgerError {
      switch error.code {
      case .closed: throw PlaneError(.unavailable, error.message)
      case .invalid: throw PlaneError(.notFound, error.message)
      case .taken: throw PlaneError(.aborted, error.message)
      default: throw PlaneError(.internalError, error.message)
      }
    }
  }

  private func streamed(_ body: () async throws -> Void) async throws {
    do {
      try await told(body)
    } catch let error as PlaneError {
      if error.code == .internalError {
        Plane.log.error("audit_failed", metadata: ["error": "\(error)"])
      }
      throw error.status
    }
  }
}
