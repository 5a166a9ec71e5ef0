internal import EventLoop
internal import RPC

/// Hands what comes on a link's `Connect` to the daemon, on whose loop it comes.
final class ConnectHandler: ClientHandler, Sendable {
  private let daemon: Daemon
  private let link: Int

  init(_ daemon: Daemon, link: Int) {
    self.daemon = daemon
    self.link = link
  }

  func received(_ message: [UInt8], credit: Int, on call: ClientCall) {
    call.credit(credit)
    daemon.assumeIsolated { $0.connectReceived(message, on: link) }
  }

  func ended(_ status: RPCStatus, _ call: ClientCall) {
    daemon.assumeIsolated { $0.connectEnded(status, on: link) }
  }
}

/// Hands what comes on a `Carry` to the daemon.
final class CarryHandler: ClientHandler, Sendable {
  private let daemon: Daemon
  private let id: String
  private let attachment: Int

  init(_ daemon: Daemon, id: String, attachment: Int) {
    self.daemon = daemon
    self.id = id
    self.attachment = attachment
  }

  func received(_ message: [UInt8], credit: Int, on call: ClientCall) {
    daemon.assumeIsolated { $0.carryReceived(message, credit: credit, id, attachment) }
  }

  func drained(_ call: ClientCall) {
    daemon.assumeIsolated { $0.carryDrained(id, attachment) }
  }

  func ended(_ status: RPCStatus, _ call: ClientCall) {
    daemon.assumeIsolated { $0.carryEnded(status, id, attachment) }
  }
}

/// Hands a descriptor's readiness to the daemon.
final class DescriptorHandler: EventLoopHandler {
  private let action: @Sendable () -> Void

  init(_ action: @escaping @Sendable () -> Void) { self.action = action }

  func ready(_ readiness: Readiness) { action() }

  func turnEnded() {}
}
