internal import Calls
internal import DaemonWire
internal import EventLoop
internal import LogLines
internal import RPC
internal import Sandbox

/// The `Carry` streams of calls: output and exit go up, input, signals and acknowledgements come
/// down.
extension Daemon {
  /// Bytes that may wait in a carry's queue; beyond them output stays in the rings.
  private static let maxQueuedBytes = 256 * 1_024

  func openCarry(_ id: String, _ ticket: Ticket, _ attachment: Int, on link: Link) {
    guard let call = live[id], let epoch = link.epoch else { return }
    var metadata: Metadata = ["gatehouse-call": id, "gatehouse-epoch": epoch.description]
    metadata.add("gatehouse-ticket-bin", bytes: ticket.bytes)
    do {
      let carry = try link.connection.assumeIsolated { connection in
        try connection.open(LinkMethod.carry, metadata: metadata) {
          CarryHandler(self, id: id, attachment: attachment)
        }
      }
      call.carry = LiveCall.Carry(call: carry, link: link.number, attachment: attachment)
      send(.opened(Opened(received: call.received)), on: carry)
      acknowledgeInput(of: call)
      pump(call)
    } catch {
      perform(calls.handle(id, .carryClosed(attachment: attachment)), of: id)
    }
  }

  func closeCarry(_ id: String, _ attachment: Int) {
    guard let call = live[id], let carry = call.carry, carry.attachment == attachment else {
      return
    }
    call.carry = nil
    call.input.carryLost()
    carry.call.cancel()
    closeIfUnused(carry.link)
  }

  func carryEnded(_ status: RPCStatus, _ id: String, _ attachment: Int) {
    guard let call = live[id], let carry = call.carry, carry.attachment == attachment else {
      return
    }
    call.carry = nil
    call.input.carryLost()
    if carry.isExitSent, status.isOK {
      perform(calls.handle(id, .exitAcknowledged(attachment: attachment)), of: id)
    } else {
      log("carry_ended", ["call": id, "status": status.description], .debug)
      reportCut(id, attachment, isFull: status.code == .resourceExhausted)
    }
    closeIfUnused(carry.link)
  }

  /// The plane answers with a resume: where it had no room, that would be refused at once again.
  private func reportCut(_ id: String, _ attachment: Int, isFull: Bool) {
    guard isFull else {
      return perform(calls.handle(id, .carryClosed(attachment: attachment)), of: id)
    }
    _ = schedule(at: .now + .seconds(1)) { daemon in
      daemon.perform(daemon.calls.handle(id, .carryClosed(attachment: attachment)), of: id)
    }
  }

  func carryDrained(_ id: String, _ attachment: Int) {
    if let call = live[id], call.carry?.attachment == attachment { pump(call) }
  }

  // MARK: Up

  private func send(_ message: CarryRequest.Message, on carry: ClientCall) {
    do {
      carry.send(try CarryRequest(message: message).encoded())
    } catch {
      preconditionFailure("ours to say, and yet \(error)")
    }
  }

  /// Sends what the rings hold, each stream in turn, while the queue is short; at the end the exit.
  func pump(_ call: LiveCall) {
    guard let carry = call.carry, !carry.isExitSent else { return }
    var buffer = loop.takeScratch()
    defer { loop.returnScratch(buffer) }
    var isMore = true
    while isMore {
      isMore = false
      for output in call.outputs where !output.isDropping {
        guard carry.call.queuedBytes < Self.maxQueuedBytes else {
          return carry.call.notifyWhenDrained()
        }
        if sendNext(of: output, on: carry.call, &buffer) { isMore = true }
      }
    }
    guard let exit = call.exit else { return }
    call.carry?.isExitSent = true
    if let effects = call.effects { send(.effects(effects), on: carry.call) }
    send(.exit(exit), on: carry.call)
    carry.call.halfClose()
  }

  private func sendNext(
    of output: CallOutput,
    on carry: ClientCall,
    _ buffer: inout [UInt8]
  ) -> Bool {
    switch output.ring.read(from: output.sent) {
    case .bytes(let range):
      output.sent = range.upperBound
      if let message = output.message(range, &buffer) {
        carry.send(message)
      } else {
        sendGap(output.stream, range, on: carry)
      }
    case .gap(let gap):
      output.sent = gap.end
      sendGap(output.stream, gap.offset..<gap.end, on: carry)
    case nil: return false
    }
    return true
  }

  private func sendGap(_ stream: CallStream, _ range: Range<UInt64>, on carry: ClientCall) {
    let count = range.upperBound - range.lowerBound
    send(.gap(Gap(stream: stream.wire, offset: range.lowerBound, length: count)), on: carry)
  }

  func acknowledgeInput(of call: LiveCall) {
    guard let carry = call.carry, !carry.isExitSent, let position = call.input.acknowledgement()
    else { return }
    send(.ack(Ack(offsets: [StreamOffset(stream: .stdin, offset: position)])), on: carry.call)
  }

  // MARK: Down

  func carryReceived(_ message: [UInt8], credit: Int, _ id: String, _ attachment: Int) {
    guard let call = live[id], let carry = call.carry, carry.attachment == attachment else {
      return
    }
    do {
      if Calls.Chunk.begins(message) {
        try received(Calls.Chunk(message: message, direction: .toTool), message, credit, call)
      } else {
        carry.call.credit(credit)
        try obey(CarryResponse(decoding: message).message, call)
      }
    } catch {
      log("bad_carry", ["call": id, "error": "\(error)"], .warning)
      carry.call.cancel()
    }
  }

  private func received(
    _ chunk: Calls.Chunk,
    _ message: [UInt8],
    _ credit: Int,
    _ call: LiveCall
  ) throws {
    guard chunk.stream == .stdin else {
      call.carry?.call.credit(credit)
      return try receivedRequest(message[chunk.data], at: chunk.offset, call)
    }
    try call.input.append(message[chunk.data], at: chunk.offset, credit: credit)
    if isWaitingForInput(call) { writeInput(of: call) } else { discardInput(of: call) }
  }

  /// The command takes input, or may yet: it is being started.
  private func isWaitingForInput(_ call: LiveCall) -> Bool {
    guard call.exit == nil else { return false }
    guard let command = call.command else { return calls[call.id]?.state == .received }
    return command.input != nil || !command.isOpen
  }

  private func receivedRequest(
    _ bytes: ArraySlice<UInt8>,
    at offset: UInt64,
    _ call: LiveCall
  ) throws(PositionError) {
    guard calls[call.id]?.state == .received else { return }
    guard offset == UInt64(call.request.count) else {
      throw .wrongOffset(.request, expected: UInt64(call.request.count), got: offset)
    }
    guard call.request.count + bytes.count <= call.requestBytes else {
      throw .tooMuch(.request, limit: call.requestBytes)
    }
    call.request += bytes
    guard call.request.count == call.requestBytes else { return }
    guard hasDigest(call.request, call.tool, call.digest) else {
      return toolEnded(call.id, Ending(.refused, .wrongDigest))
    }
    perform(calls.handle(call.id, .requestWhole), of: call.id)
  }

  private func obey(_ message: CarryResponse.Message?, _ call: LiveCall) throws {
    switch message {
    // Handled as it came.
    case .chunk: break
    case .closeStdin(let close):
      try call.input.close(at: close.offset)
      writeInput(of: call)
    case .signal(let signal):
      if (1...64).contains(signal.number) { call.command?.link?.send(.signal(signal.number)) }
    case .resize(let resize):
      guard let columns = UInt16(exactly: resize.columns), let rows = UInt16(exactly: resize.rows)
      else { break }
      call.command?.link?.send(.resize(TerminalSize(columns: columns, rows: rows)))
    case .ack(let ack):
      for entry in ack.offsets {
        guard let stream = CallStream(entry.stream) else { continue }
        try call.output(stream)?.acknowledge(before: entry.offset)
      }
      resumeReading(call)
    // A later generation's message.
    case nil: break
    }
  }
}
