internal import EventLoop
internal import HTTP1
internal import Synchronization

/// One probe: reads a request, sends the answer, waits until the peer has it.
///
/// Touched on its loop only; the mutex says so to the compiler and is never waited for.
final class AdminConnection: EventLoopHandler {
  private let loop: EventLoop
  private let socket: Socket
  private let answer: @Sendable (HTTP1Request) -> HTTP1Response
  private let state = Mutex(State())

  private struct State {
    var parser = HTTP1RequestParser()
    var output: [UInt8] = []
    var isAnswered = false
    /// The peer says no more: it may only have half-closed, and waits for the answer.
    var isPeerDone = false
    var registration: Registration?
    var timer: LoopTimer?
    var onClose: (@Sendable (AdminConnection) -> Void)?
  }

  /// From the first byte to the last.
  private static let timeLimit: Duration = .seconds(5)
  /// In one turn, so that a peer that sends without end leaves room for the others.
  private static let readsPerTurn = 4

  init(
    _ socket: consuming Socket,
    on loop: EventLoop,
    _ answer: @escaping @Sendable (HTTP1Request) -> HTTP1Response
  ) {
    self.socket = socket
    self.loop = loop
    self.answer = answer
  }

  func start(onClose: @escaping @Sendable (AdminConnection) -> Void) {
    let timer = loop.schedule(after: Self.timeLimit) { [weak self] in self?.close() }
    let registration = try? loop.register(socket.number, for: .readable, handler: self)
    state.withLock { state in
      state.onClose = onClose
      state.timer = timer
      state.registration = registration
    }
    if registration == nil { close() }
  }

  func close() {
    let ended = state.withLock { state in
      defer { (state.registration, state.timer, state.onClose) = (nil, nil, nil) }
      return state
    }
    if let registration = ended.registration { loop.deregister(registration, socket.number) }
    if let timer = ended.timer { loop.cancel(timer) }
    socket.shutDown()
    ended.onClose?(self)
  }

  func ready(_ readiness: Readiness) {
    if readiness.contains(.readable) || readiness.contains(.hangUp) { read() }
    write()
  }

  func turnEnded() {}

  private func read() {
    var buffer = loop.takeScratch()
    defer { loop.returnScratch(buffer) }
    for _ in 0..<Self.readsPerTurn {
      guard let transfer = try? socket.read(into: &buffer, atMost: buffer.count) else {
        return close()
      }
      switch transfer {
      case .bytes(let count): receive(buffer.span.extracting(0..<count))
      case .wouldBlock: return
      case .end: return peerEnded()
      }
    }
  }

  private func peerEnded() {
    let isOver = state.withLock { state in
      state.isPeerDone = true
      return state.output.isEmpty
    }
    if isOver { close() }
  }

  private func receive(_ bytes: Span<UInt8>) {
    // What comes after the answer is dropped: closing on unread bytes would reset the answer away.
    guard let response = response(to: bytes) else { return }
    state.withLock { state in
      state.output = response
      state.isAnswered = true
    }
  }

  /// The answer's bytes, once the request is whole.
  private func response(to bytes: Span<UInt8>) -> [UInt8]? {
    var (parser, isAnswered) = state.withLock { ($0.parser, $0.isAnswered) }
    guard !isAnswered else { return nil }
    do throws(HTTP1Error) {
      let request = try parser.receive(bytes)
      state.withLock { [parser] in $0.parser = parser }
      return request.map { answer($0).bytes(forHead: $0.method == "HEAD") }
    } catch {
      return HTTP1Response(error.status, error.status.reason + "\n").bytes()
    }
  }

  private func write() {
    guard let (isDone, isPeerDone) = try? writeSome() else { return close() }
    if isDone { socket.closeWriting() }
    if isDone, isPeerDone { return close() }
    watch()
  }

  private func writeSome() throws(SystemError) -> (isDone: Bool, isPeerDone: Bool) {
    try state.withLock { state throws(SystemError) in
      guard state.isAnswered, state.registration != nil,
        case .bytes(let count) = try socket.write(state.output.span)
      else { return (false, false) }
      state.output.removeFirst(count)
      return (state.output.isEmpty, state.isPeerDone)
    }
  }

  private func watch() {
    let (registration, wanted) = state.withLock { state in
      // An end is always readable.
      var wanted: Readiness = state.isPeerDone ? [] : .readable
      if !state.output.isEmpty { wanted.insert(.writable) }
      return (state.registration, wanted)
    }
    guard let registration else { return }
    loop.update(registration, socket.number, for: wanted)
  }
}
