internal import EventLoop

/// What a server answers: methods by path. Paths are `/package.Service/Method`.
package struct Service: Sendable {
  package typealias MakeHandler = @Sendable (ServerCall) throws -> any ServerHandler

  private(set) var methods: [String: MakeHandler] = [:]

  package init() {}

  package init(merging services: [Service]) {
    for service in services { methods.merge(service.methods) { first, _ in first } }
  }

  package var paths: [String] { Array(methods.keys) }

  /// The full names of the services.
  package var serviceNames: Set<String> {
    Set(methods.keys.map { String($0.dropFirst().prefix { $0 != "/" }) })
  }

  /// A method whose calls are state machines. `make` runs on the connection's loop; an
  /// `RPCStatus` it throws ends the call.
  package mutating func handle(_ path: String, _ make: @escaping MakeHandler) {
    methods[path] = make
  }

  /// Puts `make` before a method that is served. It gives the call's handler: its own, or that of
  /// `next`, which may throw the call's `RPCStatus` as `make` may.
  package mutating func interpose(
    _ path: String,
    _ make:
      @escaping @Sendable (
        _ call: ServerCall, _ next: () throws -> any ServerHandler
      ) throws -> any ServerHandler
  ) {
    guard let next = methods[path] else { preconditionFailure("\(path) is not served") }
    methods[path] = { call in try make(call) { try next(call) } }
  }

  /// One request, one response. `body` runs in a task that is cancelled with the call.
  package mutating func unary(
    _ path: String,
    _ body: @escaping @Sendable (_ request: [UInt8], _ call: ServerCall) async throws -> [UInt8]
  ) {
    handle(path) { _ in
      TaskHandler { request, call in try await call.sendWhenRoom(body(request, call)) }
    }
  }

  /// One request, a stream of responses, sent by `call.sendWhenRoom`. As `unary` else.
  package mutating func serverStreaming(
    _ path: String,
    _ body: @escaping @Sendable (_ request: [UInt8], _ call: ServerCall) async throws -> Void
  ) {
    handle(path) { _ in TaskHandler(body) }
  }
}

/// Runs a task once the one request is whole. The call's end cancels the task.
private final class TaskHandler: ServerHandler {
  private let body: @Sendable ([UInt8], ServerCall) async throws -> Void
  private var request: [UInt8]?
  private var task: Task<Void, Never>?

  init(_ body: @escaping @Sendable ([UInt8], ServerCall) async throws -> Void) { self.body = body }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    guard request == nil else {
      call.finish(RPCStatus(.unimplemented, "\(call.path) takes one request; more came"))
      return
    }
    do throws(RPCStatus) {
      try call.keepRequest(ofBytes: message.count)
      request = message
    } catch {
      call.finish(error)
    }
  }

  func halfClosed(_ call: ServerCall) {
    guard let request else {
      call.finish(RPCStatus(.unimplemented, "\(call.path) takes one request; none came"))
      return
    }
    let body = body
    call.connection.onLoop { $0.beganTask() }
    // Ends with `body`, which `ended` cancels.
    task = Task {
      do {
        try await body(request, call)
        await call.endTask(.ok)
      } catch let status as RPCStatus {
        await call.endTask(status)
      } catch is CancellationError {
        await call.endTask(RPCStatus(.cancelled, "the call was cancelled"))
      } catch {
        await call.endTask(RPCStatus(.unknown, "\(call.path) failed"))
      }
    }
  }

  func ended(_ status: RPCStatus, _ call: ServerCall) { task?.cancel() }
}
