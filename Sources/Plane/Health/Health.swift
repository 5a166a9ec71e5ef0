internal import EventLoop
internal import FoundationEssentials
internal import RPC
internal import SwiftProtobuf
internal import Synchronization

/// `grpc.health.v1.Health`: whether the plane, and each of its services, takes calls.
///
/// Its messages have one field each, so the well-known wrappers are the same on the wire:
/// `StringValue` is `HealthCheckRequest{string service = 1}`, `Int32Value` is
/// `HealthCheckResponse{ServingStatus status = 1}`.
final class Health: Sendable {
  enum ServingStatus: Int32, Sendable {
    case serving = 1
    case notServing = 2
    case serviceUnknown = 3
  }

  private struct State {
    var statuses: [String: ServingStatus]
    var watchers: [Int: Watcher] = [:]
    var lastWatcher = 0
  }

  fileprivate struct Watcher: Sendable {
    let service: String
    let call: ServerCall
  }

  private let state: Mutex<State>

  /// `services`: full names; the empty one, for the plane as a whole, is always known.
  init(services: Set<String>) {
    let statuses = services.union([""]).map { ($0, ServingStatus.serving) }
    state = Mutex(State(statuses: Dictionary(uniqueKeysWithValues: statuses)))
  }

  /// From now on nothing is served; watchers, who are on `loop`, have been told when it returns.
  func stopServing(on loop: EventLoop) async {
    await set(.notServing, for: nil, on: loop)
  }

  /// Changes the status of `service`, or of all. Watchers whose status changed, and who are on
  /// `loop`, have been told when it returns. A service that is not known stays so.
  func set(_ status: ServingStatus, for service: String?, on loop: EventLoop) async {
    await withCheckedContinuation { told in
      // On the watchers' loop, so that what they hear is in the order of the changes.
      loop.execute {
        for watcher in self.change(to: status, service) { watcher.call.send(Self.message(status)) }
        told.resume()
      }
    }
  }

  /// The watchers who are to hear of it.
  private func change(to status: ServingStatus, _ service: String?) -> [Watcher] {
    state.withLock { state in
      let names = service.map { [$0] } ?? Array(state.statuses.keys)
      let changed = Set(names.filter { (state.statuses[$0] ?? status) != status })
      for name in changed { state.statuses[name] = status }
      return state.watchers.values.filter { changed.contains($0.service) }
    }
  }

  var service: Service {
    var service = Service()
    service.unary("/grpc.health.v1.Health/Check") { request, _ in
      let name = try Self.name(in: request)
      let status = self.status(of: name)
      guard status != .serviceUnknown else {
        throw RPCStatus(.notFound, "there is no service '\(name)'")
      }
      return Self.message(status)
    }
    service.handle("/grpc.health.v1.Health/Watch") { _ in WatchHandler(self) }
    return service
  }

  private func status(of service: String) -> ServingStatus {
    state.withLock { $0.statuses[service] ?? .serviceUnknown }
  }

  private static func message(_ status: ServingStatus) -> [UInt8] {
    // An Int32Value always encodes.
    (try? Google_Protobuf_Int32Value(status.rawValue).serializedBytes()) ?? []
  }

  fileprivate static func name(in request: [UInt8]) throws -> String {
    do {
      return try Google_Protobuf_StringValue(serializedBytes: request).value
    } catch {
      throw RPCStatus(.invalidArgument, "the request is no grpc.health.v1.HealthCheckRequest")
    }
  }

  /// In bytes.
  fileprivate static let longestName = 256

  fileprivate func watch(_ watcher: Watcher) -> (number: Int, first: [UInt8]) {
    state.withLock { state in
      state.lastWatcher += 1
      state.watchers[state.lastWatcher] = watcher
      let status = state.statuses[watcher.service] ?? .serviceUnknown
      return (state.lastWatcher, Self.message(status))
    }
  }

  fileprivate func unwatch(_ number: Int) {
    state.withLock { _ = $0.watchers.removeValue(forKey: number) }
  }
}

/// One `Watch`: says the status at once, then each change, until the client goes. A service that is
/// not known is said to be so, and the call goes on (grpc/doc/health-checking.md).
private final class WatchHandler: ServerHandler {
  private let health: Health
  private var number: Int?

  init(_ health: Health) { self.health = health }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    call.credit(credit)
    guard number == nil else {
      return call.finish(RPCStatus(.unimplemented, "\(call.path) takes one request; more came"))
    }
    do {
      let name = try Health.name(in: message)
      // Kept for as long as the call: no service has a longer one, nor none at all of this kind.
      let service = name.utf8.count <= Health.longestName ? name : "-"
      let watch = health.watch(Health.Watcher(service: service, call: call))
      number = watch.number
      call.send(watch.first)
    } catch {
      call.finish(error as? RPCStatus ?? RPCStatus(.internalError))
    }
  }

  func halfClosed(_ call: ServerCall) {
    guard number == nil else { return }
    call.finish(RPCStatus(.unimplemented, "\(call.path) takes one request; none came"))
  }

  func ended(_ status: RPCStatus, _ call: ServerCall) {
    if let number { health.unwatch(number) }
  }
}
