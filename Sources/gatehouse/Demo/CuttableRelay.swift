internal import Client
internal import EventLoop

/// A TCP relay on loopback that can be cut: how the demo breaks a link in the middle of a command.
actor CuttableRelay {
  private nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor }
  /// Where it listens.
  nonisolated let address: SocketAddress
  private let listener: Socket
  private let target: SocketAddress
  private var registration: Registration?
  private var sides: [RelaySide] = []

  init(to target: SocketAddress) throws {
    guard let any = try SocketAddress.resolve("127.0.0.1", port: 0).first else {
      throw ClientError("this machine has no loopback address")
    }
    loop = try EventLoop(name: "relay")
    listener = try Socket.listening(on: any)
    address = listener.localAddress ?? any
    self.target = target
  }

  func start() throws {
    registration = try loop.register(listener.number, for: .readable, handler: self)
  }

  /// Drops every connection there is, as a broken cable would; new ones are taken.
  ///
  /// - Returns: how many were dropped.
  @discardableResult
  func cut() -> Int {
    for side in sides { side.close() }
    defer { sides = [] }
    return sides.count / 2
  }

  func close() {
    cut()
    if let registration { loop.deregister(registration, listener.number) }
    registration = nil
    loop.stop()
  }

  private func accept() {
    sides.removeAll { $0.isClosed }
    while let accepted = try? listener.accept() {
      guard let outgoing = try? Socket.connecting(to: target) else { continue }
      let near = RelaySide(accepted, on: loop)
      let far = RelaySide(outgoing, on: loop)
      guard (try? near.start(with: far)) != nil, (try? far.start(with: near)) != nil else {
        near.close()
        continue
      }
      sides += [near, far]
    }
  }
}

extension CuttableRelay: EventLoopHandler {
  nonisolated func ready(_ readiness: Readiness) { assumeIsolated { $0.accept() } }
  nonisolated func turnEnded() {}
}

/// One of a relayed connection's two sockets. Reads no more than its other side has sent on.
///
/// Why @unchecked Sendable: touched on the relay's loop only.
final class RelaySide: EventLoopHandler, @unchecked Sendable {
  private let socket: Socket
  private let loop: EventLoop
  private var registration: Registration?
  private weak var other: RelaySide?
  /// Waits to be written here.
  private var pending: [UInt8] = []
  private var otherHasEnded = false
  private var hasEnded = false
  private(set) var isClosed = false

  init(_ socket: consuming Socket, on loop: EventLoop) {
    socket.setNoDelay()
    self.socket = socket
    self.loop = loop
  }

  func start(with other: RelaySide) throws {
    self.other = other
    registration = try loop.register(socket.number, for: [.readable, .writable], handler: self)
  }

  func ready(_ readiness: Readiness) {
    guard !isClosed else { return }
    do {
      try flush()
      try read()
      watch()
      other?.watch()
    } catch {
      other?.close()
      close()
    }
  }

  func turnEnded() {}

  func close() {
    guard !isClosed else { return }
    isClosed = true
    if let registration { loop.deregister(registration, socket.number) }
    socket.shutDown()
    other?.close()
  }

  private func read() throws {
    guard let other, other.pending.isEmpty, !hasEnded else { return }
    var buffer = loop.takeScratch()
    defer { loop.returnScratch(buffer) }
    switch try socket.read(into: &buffer, atMost: buffer.count) {
    case .bytes(let count): other.pending += buffer.prefix(count)
    case .wouldBlock: return
    case .end:
      hasEnded = true
      other.otherHasEnded = true
    }
    try other.flush()
  }

  private func flush() throws {
    while !pending.isEmpty {
      let bytes = pending
      let transfer = try socket.write(bytes.span)
      guard case .bytes(let count) = transfer else { return }
      pending.removeFirst(count)
    }
    if otherHasEnded { socket.closeWriting() }
    if otherHasEnded && hasEnded { close() }
  }

  /// Asks the loop for what can be done next.
  private func watch() {
    guard !isClosed, let registration else { return }
    var interest: Readiness = []
    if !pending.isEmpty { interest.insert(.writable) }
    if !hasEnded, other?.pending.isEmpty ?? false { interest.insert(.readable) }
    loop.update(registration, socket.number, for: interest)
  }
}
