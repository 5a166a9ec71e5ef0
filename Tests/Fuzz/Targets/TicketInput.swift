internal import Calls

/// A claim of a call, and words about it. Nothing but its own ticket carries a call.
enum TicketInput {
  static func run(_ input: [UInt8]) {
    var reader = InputReader(input)
    let text = reader.bytes(Int(reader.byte() % 24))
    let epoch = SessionEpoch(text: text)
    if let epoch { require(Array(epoch.description.utf8) == text, "an epoch written in two ways") }
    let id = String(decoding: reader.bytes(Int(reader.byte() % 80)), as: UTF8.self)
    if Identifier.isValid(id) {
      require((1...Identifier.longest).contains(id.utf8.count), "an id of \(id.utf8.count) bytes")
    }
    let claimed = reader.bytes(Int(reader.byte() % 32))
    require((Ticket(bytes: claimed) != nil) == (claimed.count == 16), "a ticket of another size")
    claim(claimed, epoch ?? SessionEpoch(1))
    write(&reader)
  }

  private static let right = [UInt8](repeating: 7, count: 16)

  private static func claim(_ bytes: [UInt8], _ epoch: SessionEpoch) {
    guard let right = Ticket(bytes: right), let claimed = Ticket(bytes: bytes),
      let instance = InstanceID(bytes: [UInt8](repeating: 1, count: 16))
    else { return }
    let now = ContinuousClock.now
    var call = BrokerCall(deadline: now + .seconds(60))
    let link = BrokerCall.Link(epoch: SessionEpoch(1), instance: instance)
    _ = call.handle(.admitted(link, right))
    let actions = call.handle(.claim(BrokerCall.Claim(ticket: claimed, epoch: epoch), now))
    let isRight = bytes == Self.right && epoch == SessionEpoch(1)
    require(actions == (isRight ? [.attach(1)] : [.turnAway]), "a claim that came to \(actions)")
  }

  /// Output, gaps and acknowledgements at any positions: refused, or in their place.
  private static func write(_ reader: inout InputReader) {
    var log = CallLog(window: 64)
    var cursor = CallLog.Cursor()
    for _ in 0..<200 where !reader.isEmpty {
      let kind = reader.byte()
      let stream = CallStream.outputs[Int(kind >> 4) % CallStream.outputs.count]
      switch kind & 7 {
      case 0: append(reader.bytes(Int(reader.byte())), to: &log, stream, reader.number())
      case 1:
        let end = log.ends[stream]
        append(reader.bytes(Int(reader.byte())), to: &log, stream, end)
      case 2:
        let gap = LostBytes(stream: stream, offset: log.ends[stream], count: reader.number())
        _ = try? log.append(gap, cost: 20)
      case 3:
        var positions = Positions()
        positions[stream] = kind & 8 == 0 ? reader.number() : log.ends[stream]
        _ = try? log.take(before: positions)
      case 4: while log.read(&cursor) != nil {}
      case 5: _ = log.take(passedBy: cursor)
      case 6: log.attachmentEnded(keeping: Int(reader.byte()))
      default: _ = log.read(&cursor)
      }
      require(log.untakenCost >= log.untakenBefore && log.untakenBefore >= 0, "a wrong account")
      require(log.heldBytes >= 0, "bytes below zero")
      for stream in CallStream.outputs {
        require(log.taken[stream] <= log.ends[stream], "taken before it was there")
      }
    }
  }

  private static func append(
    _ data: [UInt8],
    to log: inout CallLog,
    _ stream: CallStream,
    _ offset: UInt64
  ) {
    guard !data.isEmpty else { return }
    let message = Chunk.message(stream: stream, offset: offset, data: data[...])
    // Beyond 2^63 the walk refuses it.
    guard let chunk = try? Chunk(message: message, direction: .fromTool) else { return }
    _ = try? log.append(message, chunk, cost: message.count + 5)
  }
}
