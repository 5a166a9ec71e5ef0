internal import EventLoop
internal import HTTP2
internal import TLS

extension Connection {
  /// Reads per turn, so that one busy peer does not keep the loop from the others.
  private static let readsPerTurn = 4
  /// Plaintext gathered before it is encrypted: whole TLS records.
  private static let gatherBytes = 4 * TLSSession.maxRecordBytes
  /// Ciphertext that may wait for a slow socket before frames are left in the session.
  private static let outputHighMark = 256 * 1_024

  func becameReady(_ readiness: Readiness) {
    if phase == .connecting { finishConnecting() }
    guard phase != .closed else { return }
    if isDispatchDue, !readiness.isDisjoint(with: .hangUp) { return peerClosed() }
    if readiness.contains(.writable) { flush() }
    if readiness.contains(.readable) || !readiness.isDisjoint(with: .hangUp) { readSome() }
  }

  private func finishConnecting() {
    if let error = socket.connectError {
      return close(RPCStatus(.unavailable, "\(peer.address): \(error)"))
    }
    socket.setNoDelay()
    phase = .handshaking
    do {
      try transport.start()
    } catch {
      return close(RPCStatus(.unavailable, error.message))
    }
    if transport.isEstablished { return established() }  // plaintext
    writeOutput()
  }

  // MARK: Reading

  private func readSome() {
    var ciphertext = loop.takeScratch()
    var plaintext = loop.takeScratch()
    defer {
      loop.returnScratch(ciphertext)
      loop.returnScratch(plaintext)
    }
    // Room for what OpenSSL holds of a record that was incomplete.
    let limit = plaintext.count - TLSSession.maxRecordBytes
    if !isDispatchDue { turn = ConnectionTurn() }
    for _ in 0..<Self.readsPerTurn {
      guard phase != .closed, !isDispatchDue, turn.hasTimeToRead() else { return }
      let transfer: Socket.Transfer
      do {
        transfer = try socket.read(into: &ciphertext, atMost: limit)
      } catch {
        if phase == .handshaking { handshakeFailed(.closedByPeer, "reset in the handshake") }
        return close(lost(error))
      }
      switch transfer {
      case .wouldBlock: return
      case .end: return peerClosed()
      case .bytes(let count):
        statistics?.counters.bytesReceived &+= UInt64(count)
        hasHeard = true
        guard phase != .draining else { continue }
        receive(ciphertext.span.extracting(0..<count), into: &plaintext)
        if count < limit { return }
      }
    }
  }

  private func lost(_ error: SystemError) -> RPCStatus {
    RPCStatus(.unavailable, "the connection to \(peer.address) was lost: \(error)")
  }

  private func peerClosed() {
    if phase == .handshaking { handshakeFailed(.closedByPeer, "closed in the handshake") }
    let reason = farewell.map { "\($0); it has closed the connection" }
    close(RPCStatus(.unavailable, reason ?? "\(peer.address) closed the connection"))
  }

  private func receive(_ ciphertext: Span<UInt8>, into plaintext: inout [UInt8]) {
    let wasEstablished = transport.isEstablished
    let count: Int
    do {
      count = try transport.receive(ciphertext, into: &plaintext)
    } catch {
      return refuse(error)
    }
    if !wasEstablished {
      writeOutput()
      if transport.isEstablished { established() }
    }
    guard phase == .open, count > 0 else { return }
    do {
      try session.receive(plaintext.span.extracting(0..<count))
    } catch {
      return broke(error)
    }
    guard isWithinLimits() else { return }
    dispatch()
    scheduleFlush()
    if transport.peerClosed { drain() }
  }

  /// The handshake failed: the peer gets the alert, or, if it speaks plain HTTP, an answer in it.
  private func refuse(_ error: TLSError) {
    closeReason = RPCStatus(.unavailable, "\(peer.address): \(error.message)")
    if phase == .handshaking {
      handshakeFailed(HandshakeFailure(error.code), error.message)
    } else if error.code == .keysRenewed {
      statistics?.cutOff(peer.address, .keyUpdates, error.message)
    } else {
      statistics?.protocolBroken(peer.address, error.message)
    }
    if error.code == .plainHTTP {
      let text = "this port speaks HTTP/2 over TLS; use https and a client certificate\n"
      let answer =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        + "Content-Length: \(text.utf8.count)\r\n\r\n" + text
      _ = try? socket.write(Array(answer.utf8).span)
    }
    drain()
  }

  func established() {
    let certificates = transport.peerCertificatesDER
    phase = .open
    switch identify(certificates) {
    case .success(let identified):
      peer = Peer(
        address: peer.address,
        certificatesDER: certificates,
        identity: identified?.identity
      )
      if let name = identified?.name, !isTaken(of: name) { return }
      joinShare(of: identified?.name)
      if let validFor = identified?.validFor { expire(after: validFor) }
    case .failure(let status):
      // The peer speaks HTTP/2 by now, so each call is told the reason. It has a moment for that.
      peer = Peer(address: peer.address, certificatesDER: certificates, refusal: status)
      guard isTaken(of: "nobody, at \(network)") else { return }
      joinShare(of: nil)
      if role.isServer { dismiss(status, after: limits.handshakeTimeout) }
    }
    for waiter in openWaiters { waiter.resume() }
    openWaiters = []
    flush()
    schedulePing()
  }

  private func identify(
    _ certificates: [[UInt8]]
  ) -> Result<Identification.Identified?, RPCStatus> {
    let identification: Identification? =
      switch role {
      case .server(let core): core.identification
      case .client(let core): core.identification
      }
    guard let identification else { return .success(nil) }
    return identification.identify(certificates).map { $0 }
  }

  // MARK: Writing

  func scheduleFlush() {
    guard !isFlushScheduled, phase == .open else { return }
    isFlushScheduled = true
    loop.notifyAtTurnEnd(self)
  }

  /// Moves frames from the session through TLS to the socket, until there are none or it is full.
  func flush() {
    guard phase == .open else { return writeOutput() }
    // A peer that does not read gets no more frames until it has taken these.
    if transport.outputCount >= Self.outputHighMark { writeOutput() }
    guard phase == .open, transport.outputCount < Self.outputHighMark else { return }
    var plaintext = loop.takeGatherBuffer()
    repeat {
      guard gather(into: &plaintext) else { break }
      let isDone = plaintext.isEmpty
      plaintext.removeAll(keepingCapacity: true)
      dispatch()
      if isDone { break }
      if transport.outputCount >= Self.gatherBytes { writeOutput() }
    } while phase == .open && transport.outputCount < Self.outputHighMark
    loop.returnGatherBuffer(plaintext)
    writeOutput()
    // Before that, a slow peer would lose what it has not taken.
    if phase == .open, !session.isAlive, transport.outputCount == 0 { drain() }
  }

  /// Moves up to `gatherBytes` of frames from the session through TLS; `plaintext` has them too.
  ///
  /// - Returns: whether that went well.
  private func gather(into plaintext: inout [UInt8]) -> Bool {
    do {
      try session.send(into: &plaintext, limit: Self.gatherBytes)
      try transport.send(plaintext.span)
      return true
    } catch {
      plaintext = []
      closeReason = closeReason ?? RPCStatus(.unavailable, "\(peer.address): \(error)")
      return false
    }
  }

  /// `flush`, before the end: GOAWAY goes before bodies, and so leaves however much waits by now.
  func flushReason() {
    flush()
    guard phase == .open, session.wantsWrite else { return }
    var plaintext = loop.takeGatherBuffer()
    _ = gather(into: &plaintext)
    loop.returnGatherBuffer(plaintext)
  }

  func writeOutput() {
    guard phase != .closed, phase != .connecting else { return }
    isBlocked = false
    do {
      while transport.outputCount > 0, !isBlocked {
        try transport.withOutput { (bytes) throws(SystemError) -> Int in
          guard case .bytes(let count) = try socket.write(bytes) else {
            isBlocked = true
            return 0
          }
          statistics?.counters.bytesSent &+= UInt64(count)
          return count
        }
      }
    } catch {
      return writingFailed(lost(error))
    }
    if !isBlocked { finishWriting() }
    if !isBlocked, table.count == 0 { transport.trim() }
    // Frames may wait in the session for the room there is now.
    if !isBlocked, session.wantsWrite { scheduleFlush() }
    updateInterest()
  }

  /// A server that answered early and closed has sent a call's status, or why it goes: that lies here, unread.
  private func writingFailed(_ reason: RPCStatus) {
    if case .client = role, phase == .open, !isReadingLast {
      isReadingLast = true
      readSome()
    }
    close(reason)
  }

  /// What is not read now must not wake the loop again and again.
  func updateInterest() {
    var wanted: Readiness = isDispatchDue ? [] : .readable
    if isBlocked { wanted.insert(.writable) }
    guard wanted != interest, let registration else { return }
    interest = wanted
    loop.update(registration, socket.number, for: wanted)
  }

  // MARK: Timers

  private func expire(after validity: Duration) {
    expiryTimer = loop.schedule(after: validity) { [weak self] in
      self?.assumeIsolated {
        $0.expiryTimer = nil
        $0.shutDown(RPCStatus(.unavailable, "the certificate has expired; connect with a new one"))
      }
    }
  }

  private func dismiss(_ reason: RPCStatus, after time: Duration) {
    expiryTimer = loop.schedule(after: time) { [weak self] in
      self?.assumeIsolated {
        $0.expiryTimer = nil
        $0.dismiss(reason)
      }
    }
  }

  func schedulePing(after passed: Duration = .zero) {
    guard let interval = limits.pingInterval else { return }
    pingTimer = loop.schedule(after: max(.zero, interval - passed)) { [weak self] in
      self?.assumeIsolated { $0.sendPing() }
    }
  }

  private func sendPing() {
    pingTimer = nil
    guard phase == .open else { return }
    if isIdleTooLong() { return retireIdle() }
    hasHeard = false
    // One at a time: for a slow reader the last one may still wait behind what it reads.
    if !pongIsDue {
      session.ping()
      pongIsDue = true
      flush()
    }
    guard phase == .open else { return }
    pingTimer = loop.schedule(after: limits.pingTimeout) { [weak self] in
      self?.assumeIsolated { $0.pingTimedOut() }
    }
  }

  /// Whatever came is a sign of life: the answer itself may be behind all that the peer reads first.
  private func pingTimedOut() {
    pingTimer = nil
    // While work is put off, nothing is read.
    guard pongIsDue, !hasHeard, !isDispatchDue else {
      // From one to the next; a part of that time has passed.
      return schedulePing(after: limits.pingTimeout)
    }
    let text = "\(peer.address) does not answer pings"
    statistics?.cutOff(peer.address, .ping, "it does not answer pings")
    close(RPCStatus(.unavailable, text))
  }
}
