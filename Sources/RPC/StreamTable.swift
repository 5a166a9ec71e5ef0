internal import HTTP2

/// The calls of one connection, as its HTTP/2 session sees them: records what arrived as events,
/// and gives the session what there is to send.
///
/// nghttp2 calls it inside `receive` and `send`; the connection drains `events` afterwards.
final class StreamTable: SessionDelegate {
  enum Event {
    /// A request's header block is whole.
    case request(StreamState)
    /// A server's initial metadata.
    case metadata(StreamState, Metadata)
    case message(StreamState, [UInt8], credit: Int)
    /// The next message came compressed.
    case compressed(StreamState)
    case ended(StreamState)
    /// Our limits, or gRPC's framing, were broken.
    case failed(StreamState, RPCStatus)
    /// Our last byte left before the peer's.
    case finishedFirst(StreamState)
    case closed(StreamState, HTTP2Code)
    case drained(StreamState)
    /// Part of a message waits for the rest.
    case partial(StreamState)
    case goAway(lastStream: Int32, HTTP2Code, String)
    case goAwaySent
    /// The session ended itself because of the peer.
    case broken(HTTP2Code, String)
    case pong
    case settings
  }

  private var streams = StreamMap()
  private var latest: StreamState?  // most callbacks in a row are about one stream
  let isServer: Bool
  private let limits: ConnectionLimits
  private let statistics: ServerStatistics?
  var events: [Event] = []
  /// Streams that a peer has opened so far.
  private(set) var opened = 0
  /// Streams that wait for their first message.
  private(set) var unstarted = 0
  /// Streams that have part of a message, and the bytes of these.
  private(set) var partial = 0
  private(set) var partialBytes = 0
  /// Streams that have their one request and no end, and what all keep until they are over.
  private(set) var awaitingEnd = 0
  private(set) var keptBytes = 0
  /// Bytes of messages that are not whole, of all streams; see `promise`.
  private(set) var promisedBytes = 0
  private var line: [Int32] = []
  /// Bytes of messages that wait to be sent, of all streams.
  private(set) var queuedBytes = 0
  private var spareEvents: [Event] = []
  /// At a server: those that were over last, and that the peer had ended; a ring.
  private var over: [Int32] = []
  private var nextOver = 0
  private static let maxOver = 32
  /// What the peer holds with all its connections; set by a server once it knows whose this one is.
  private(set) var share: PeerShare?

  init(isServer: Bool, limits: ConnectionLimits, statistics: ServerStatistics? = nil) {
    self.isServer = isServer
    self.statistics = statistics
    self.limits = limits
  }

  /// It is this peer's from now on, with what it holds.
  func join(_ share: PeerShare) {
    self.share = share
    share.hold(partial: partialBytes + keptBytes, queued: queuedBytes)
  }

  /// The connection is over: it holds nothing any more.
  func leave() {
    guard let share else { return }
    share.hold(partial: -partialBytes - keptBytes, queued: -queuedBytes)
    share.shares.leave(share)
    self.share = nil
  }

  var acceptsGzip: Bool { limits.acceptsGzip }
  var maxMessageBytes: Int { limits.maxMessageBytes }

  var count: Int { streams.count }
  var all: [StreamState] { streams.values }

  func state(_ stream: Int32) -> StreamState? {
    if let latest, latest.id == stream { return latest }
    latest = streams[stream]
    return latest
  }

  func open(_ stream: Int32) -> StreamState {
    let state = StreamState(
      id: stream,
      window: limits.streamWindow,
      maxMessageBytes: limits.maxMessageBytes
    )
    state.fields.wantsEncodings = limits.acceptsGzip
    streams.insert(state)
    return state
  }

  /// What was recorded, to handle; give the array back, so that its memory serves again.
  func takeEvents() -> [Event] {
    let taken = events
    events = spareEvents
    spareEvents = []
    return taken
  }

  func returnEvents(_ handled: inout [Event]) {
    handled.removeAll(keepingCapacity: true)
    // Only for a busy connection: an idle one, with a stream or two, holds no memory for this.
    if streams.count > Self.fewStreams { swap(&handled, &spareEvents) }
  }

  private static let fewStreams = 4

  // MARK: What arrives

  func headersBegan(on stream: Int32) {
    guard isServer, state(stream) == nil else { return }
    statistics?.counters.streamsOpened &+= 1
    self.opened &+= 1
    let opened = open(stream)
    opened.isUnstarted = true
    unstarted += 1
    latest = opened
  }

  func header(on stream: Int32, name: Span<UInt8>, value: Span<UInt8>) {
    guard let state = state(stream) else { return }
    state.fields.bytes += name.count + value.count + IncomingFields.overhead
    guard state.fields.bytes <= limits.maxHeaderBytes else { return }
    state.fields.take(name: name, value: value)
  }

  func headersEnded(on stream: Int32) {
    guard let state = state(stream) else { return }
    if !isServer, state.fields.isInformational { return state.fields.startAnew() }
    state.fields.blocks += 1
    if isServer {
      keep(state.fields.bytes, for: state)
    }
    let bytes = state.fields.bytes
    // RFC 9113 §6.5.2: the limit is for each block, headers and trailers.
    state.fields.bytes = 0
    if bytes > limits.maxHeaderBytes {
      statistics?.reached(.headerList)
      let text = "more than \(limits.maxHeaderBytes) bytes of header fields"
      events.append(.failed(state, RPCStatus(.resourceExhausted, text)))
    }
    // What is no gRPC is not judged by its rules.
    let isOther = isServer && !(state.fields.isPost && state.fields.isGRPC)
    if !isOther, let name = state.fields.malformed {
      events.append(.failed(state, RPCStatus(.internalError, "the value of \(name) is no base64")))
    }
    // At a client, behind the status there is nothing to read.
    if !isOther, let encoding = state.fields.encoding, isServer || state.fields.status == nil {
      accept(encoding, on: state)
    }
    if isServer {
      if state.fields.blocks == 1 { events.append(.request(state)) }
    } else if let metadata = state.fields.takeInitialMetadata() {
      events.append(.metadata(state, metadata))
    }
  }

  func headersRefused(on stream: Int32) { statistics?.reached(.headerList) }

  func data(on stream: Int32, _ bytes: Span<UInt8>) {
    guard let state = state(stream) else { return }
    // A proxy's page: there are no messages in it.
    if !isServer, let foreign = state.fields.foreignAnswer {
      return events.append(.failed(state, foreign))
    }
    do {
      try state.assembler.append(bytes) { message, cost, isCompressed in
        if isCompressed, !takeInflated(message.count, on: state) { return }
        started(state)
        state.sweeps = 0
        state.hold(cost)
        release(state)
        events.append(.message(state, message, credit: cost))
      }
    } catch {
      if error.code == .resourceExhausted { statistics?.reached(.messageBytes) }
      started(state)
      look(at: state)
      release(state)
      events.append(.failed(state, error))
      return
    }
    look(at: state)
    guard state.assembler.isPartial else { return }
    if let refusal = refusal(of: state) { return events.append(.failed(state, refusal)) }
    events.append(.partial(state))
  }

  func ended(_ stream: Int32) {
    guard let state = state(stream) else { return }
    state.peerEnded = true
    started(state)
    endCame(state)
    // Now: when the event is handled, nothing of the message may be here any more.
    guard state.assembler.isPartial else { return events.append(.ended(state)) }
    let text = "the stream ended inside a message"
    events.append(.failed(state, RPCStatus(.internalError, text)))
  }

  func endSent(on stream: Int32) {
    guard isServer, let state = state(stream), !state.peerEnded else { return }
    events.append(.finishedFirst(state))
  }

  func closed(_ stream: Int32, _ code: HTTP2Code) {
    guard let state = state(stream) else { return }
    if isServer, state.peerEnded { remember(stream) }
    streams.remove(stream)
    latest = nil
    started(state)
    endCame(state)
    keep(-state.keptBytes, for: state)
    drop(state)
    state.isGone = true
    queued(-state.queuedBytes)
    events.append(.closed(state, code))
  }

  private func remember(_ stream: Int32) {
    guard over.count == Self.maxOver else { return over.append(stream) }
    over[nextOver] = stream
    nextOver = (nextOver + 1) % Self.maxOver
  }

  func isOver(_ stream: Int32) -> Bool { over.contains(stream) }

  func goAway(lastStream: Int32, _ code: HTTP2Code, _ text: String) {
    events.append(.goAway(lastStream: lastStream, code, text))
  }

  func goAwaySent() { events.append(.goAwaySent) }

  func broken(_ code: HTTP2Code, _ reason: String) { events.append(.broken(code, reason)) }

  func resetReceived(on stream: Int32) { statistics?.counters.resetsByPeers &+= 1 }

  func reached(_ limit: PeerLimit) { statistics?.reached(limit) }

  func pong() { events.append(.pong) }

  func settingsReceived() { events.append(.settings) }

  /// It needs no watching any more: its first message is here, or will not come.
  func started(_ state: StreamState) {
    guard state.isUnstarted else { return }
    state.isUnstarted = false
    unstarted -= 1
  }

  /// The same of its end.
  func endCame(_ state: StreamState) {
    guard state.awaitsEnd else { return }
    state.awaitsEnd = false
    awaitingEnd -= 1
  }

  // MARK: What calls keep

  private func keep(_ bytes: Int, for state: StreamState) {
    state.keptBytes += bytes
    keptBytes += bytes
    share?.hold(partial: bytes)
  }

  /// - Returns: the limit that its peer has passed with it, if any.
  func keepRequest(ofBytes bytes: Int, of state: StreamState) -> PeerLimit? {
    guard !state.isGone else { return nil }
    keep(bytes, for: state)
    expectEnd(of: state)
    return keptLimit
  }

  /// Its peer has nothing more to send but the end.
  func expectEnd(of state: StreamState) {
    guard !state.isGone, !state.peerEnded, !state.awaitsEnd else { return }
    state.awaitsEnd = true
    awaitingEnd += 1
  }

  /// The limit that its peer has passed with what this connection, too, holds.
  var keptLimit: PeerLimit? {
    guard let share else { return nil }
    return share.shares.partialLimit(for: share, holding: partialBytes + keptBytes)
  }

  // MARK: Messages that are not whole

  private func look(at state: StreamState) {
    guard isServer else { return }
    let grown = state.assembler.partialBytes - state.partialBytes
    guard grown != 0 else { return }
    state.partialBytes += grown
    partialBytes += grown
    share?.hold(partial: grown)
    guard state.isPartial != state.assembler.isPartial else { return }
    state.isPartial.toggle()
    partial += state.isPartial ? 1 : -1
  }

  /// Why part of a message is too much, beside all others of its peer, or of all.
  private func refusal(of state: StreamState) -> RPCStatus? {
    guard let share, let limit = keptLimit else { return nil }
    statistics?.reached(limit)
    state.assembler.stop()
    look(at: state)
    release(state)
    let text =
      "\(share.peer) has too many requests under way, whole or not; send fewer at once"
    return RPCStatus(.resourceExhausted, text)
  }

  /// Nobody wants its messages any more.
  func drop(_ state: StreamState) {
    state.assembler.stop()
    look(at: state)
    release(state)
  }

  /// Has the message at hand come whole, or wait in line for that: see `ConnectionLimits.maxHeldBytes`.
  /// Whoever was promised it comes to an end, so that nobody waits for ever.
  func promise(_ state: StreamState) {
    guard state.promised == 0, !state.isInLine else { return }
    guard line.isEmpty, hasRoom(for: state) else {
      state.isInLine = true
      line.append(state.id)
      statistics?.reached(.heldBytes)
      return
    }
    grant(state)
  }

  private func hasRoom(for state: StreamState) -> Bool {
    promisedBytes == 0 || promisedBytes + state.assembler.wholeBytes <= limits.maxHeldBytes
  }

  private func grant(_ state: StreamState) {
    state.promised = state.assembler.wholeBytes
    promisedBytes += state.promised
  }

  /// It is whole, or will not be: those in line come on.
  private func release(_ state: StreamState) {
    state.isInLine = false
    promisedBytes -= state.promised
    state.promised = 0
    guard !line.isEmpty else { return }
    var passed = 0
    for id in line {
      // Some have left, or take what came before first.
      if let next = streams[id], next.isInLine, next.wantsParts {
        guard hasRoom(for: next) else { break }
        grant(next)
        events.append(.partial(next))
      }
      streams[id]?.isInLine = false
      passed += 1
    }
    line.removeFirst(passed)
  }

  // MARK: What is sent

  func enqueue(_ message: [UInt8], on state: StreamState) {
    let before = state.queuedBytes
    state.enqueue(message)
    queued(state.queuedBytes - before)
  }

  private func queued(_ bytes: Int) {
    queuedBytes += bytes
    share?.hold(queued: bytes)
  }

  /// Queues bytes that are no message; see `StreamState.enqueueBody`.
  func enqueueBody(_ bytes: [UInt8], on state: StreamState) {
    state.enqueueBody(bytes)
    queued(bytes.count)
  }

  func next(on stream: Int32, limit: Int) -> Outgoing {
    state(stream)?.next(limit: limit) ?? .last(0)
  }

  func copy(_ count: Int, from stream: Int32, into output: inout [UInt8]) {
    guard let state = state(stream) else { return }
    state.copy(count, into: &output)
    queued(-count)
    guard state.queuedBytes <= StreamState.lowMark else { return }
    if state.wantsDrained || !state.roomWaiters.isEmpty {
      state.wantsDrained = false
      events.append(.drained(state))
    }
  }
}
