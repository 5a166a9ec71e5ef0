internal import Calls
internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import Sandbox

/// One output stream of a call: the pipe it comes from, the ring it waits in, and its digest.
///
/// What waits lies in a file of the call's folder, made when the first byte is there: most calls say
/// nothing on standard error.
final class CallOutput {
  let stream: CallStream
  private(set) var ring: OutputRing
  /// The next byte to send on the call's `Carry`.
  var sent: UInt64
  /// No more bytes will come from the tool.
  private(set) var isClosed = false
  private(set) var pipe: SharedDescriptor?
  /// Of a terminal: what its output goes through, held by the supervisor as well, since the kernel moves
  /// and counts at once from pipes only.
  private var staging: Pipe?
  private var file: OutputFile?
  /// Set while the loop watches the pipe.
  var registration: Registration?
  /// Bytes after the ring's that nobody will get; the plane makes a gap of them.
  private var lost: UInt64 = 0
  /// Nobody waits for the rest any more: what comes is only counted, what waits is not sent.
  private(set) var isDropping = false
  private var hash = SHA256()
  /// False when nobody has seen all bytes: after a change of daemon, unless all are still here.
  private var isHashed: Bool

  init(_ stream: CallStream, ring: OutputRing) {
    self.stream = stream
    self.ring = ring
    sent = ring.start
    isHashed = ring.end == 0
  }

  func open(_ pipe: SharedDescriptor, through staging: Pipe? = nil) {
    self.pipe = pipe
    self.staging = staging
  }

  /// The first byte that was not read yet.
  var end: UInt64 { ring.end + lost }

  /// How many bytes `append` would take now.
  var room: Int { isDropping ? .max : ring.room }

  /// From here on output is counted and dropped, with what waits to be sent.
  func dropRest() { isDropping = true }

  /// The same when nobody knows whether all was counted.
  func dropUncounted() { (isDropping, isHashed) = (true, false) }

  /// After its end: `count` bytes were written that nobody has read. `nil`: nobody knows how many.
  func lose(_ count: UInt64?) {
    lost += count ?? 0
    if count != 0 { isHashed = false }
  }

  func acknowledge(before offset: UInt64) throws(PositionError) {
    // The plane may acknowledge its own gap for what was lost at the end.
    try ring.acknowledge(before: offset <= end ? min(offset, ring.end) : offset)
    file?.keep(from: ring.start)
  }

  /// A terminal's output is on its way into the ring, and nothing will tell of it again.
  var isStaged: Bool { (staging?.reading.descriptor.readableBytes ?? 0) > 0 }

  /// What is in the pipe, bytes.
  var unread: UInt64 {
    (pipe?.descriptor.readableBytes ?? 0) + (staging?.reading.descriptor.readableBytes ?? 0)
  }

  /// The disk takes nothing more for now: tried again in a while.
  var isWaitingForDisk = false

  func close() {
    isClosed = true
    (pipe, staging) = (nil, nil)
  }

  var total: StreamTotal {
    StreamTotal(
      stream: stream.wire,
      bytes: end,
      sha256: isHashed ? hash.finalize() : []
    )
  }
}

// Bytes.
extension CallOutput {
  /// Where a command's output is kept.
  struct Place {
    let folder: SharedFolder
    let positions: TransferPositions
  }

  /// Bytes that the supervisor may have read, on top of a full ring: what a pipe and a staging pipe hold.
  static let restRoom = 128 * 1_024

  private var fileBytes: Int { ring.capacity + Self.restRoom }

  /// Moves what the pipe holds into the ring, as far as there is room.
  ///
  /// - Throws: what is wrong with the disk; then the pipe has the bytes still.
  func take(_ buffer: inout [UInt8], _ place: Place) throws(SystemError) -> Socket.Transfer {
    guard let pipe else { return .end }
    guard !isDropping else { return drop(&buffer, place) }
    var after = Socket.Transfer.wouldBlock
    if let staging, staging.reading.descriptor.readableBytes == 0 {
      after = try stage(pipe, staging, &buffer, place)
    }
    let source = staging?.reading ?? pipe
    let count = min(Int(source.descriptor.readableBytes), buffer.count, room)
    guard count > 0 else {
      let isOver = staging == nil ? pipe.descriptor.hasEnded : after == .end
      return isOver ? .end : .wouldBlock
    }
    let file = try openFile(place)
    // No more is dropped than will come.
    let limit = min(count, file.mostAtOnce)
    ring.makeRoom(for: limit)
    let taken = try file.take(
      from: source.descriptor,
      by: &buffer,
      limit: limit,
      keepingFrom: ring.start
    )
    ring.append(taken)
    digest(ring.end - UInt64(taken)..<ring.end, &buffer)
    return taken > 0 ? .bytes(taken) : .wouldBlock
  }

  private func drop(_ buffer: inout [UInt8], _ place: Place) -> Socket.Transfer {
    guard let pipe else { return .end }
    let staged = staging.flatMap { $0.reading.descriptor.readableBytes > 0 ? $0.reading : nil }
    place.positions.begin()
    let result = try? (staged ?? pipe).descriptor.read(into: &buffer)
    if case .bytes(let count) = result {
      digest(buffer[..<count])
      lost += UInt64(count)
    }
    place.positions.commit(lost, to: .lost, Int(stream.rawValue))
    return result ?? .end
  }

  /// Has the kernel move what a terminal holds into a pipe. Kernels before 5.11 cannot: then it is read and
  /// written, and a death between the two is said to be.
  private func stage(
    _ terminal: SharedDescriptor,
    _ staging: Pipe,
    _ buffer: inout [UInt8],
    _ place: Place
  ) throws(SystemError) -> Socket.Transfer {
    do {
      return try terminal.descriptor.move(to: staging.writing.descriptor, count: room)
    } catch  where error.isNotSupported {
      place.positions.begin()
      let result = try? terminal.descriptor.read(into: &buffer, limit: min(room, Self.stagedBytes))
      if case .bytes(let count) = result {
        let read = buffer[..<count]
        _ = try? staging.writing.descriptor.write(read.span)
      }
      place.positions.commit(lost, to: .lost, Int(stream.rawValue))
      return result ?? .end
    }
  }

  /// Fits the smallest pipe.
  private static let stagedBytes = 4_096

  private func digest(_ bytes: ArraySlice<UInt8>) {
    if isHashed { hash.update(bytes.span) }
  }

  /// What was kept last. A disk that does not give it back leaves the digest unknown.
  private func digest(_ range: Range<UInt64>, _ buffer: inout [UInt8]) {
    guard isHashed else { return }
    isHashed = (try? file?.read(range, into: &buffer)) != nil
    digest(buffer[..<range.count])
  }

  private func openFile(_ place: Place) throws(SystemError) -> OutputFile {
    if let file { return file }
    let made = try OutputFile(
      in: place.folder.folder,
      named: CallJournal.File.output(stream),
      capacity: fileBytes,
      positions: place.positions,
      stream: Int(stream.rawValue)
    )
    file = made
    return made
  }

  /// A chunk with kept bytes; `nil` when the disk does not give them back.
  func message(_ range: Range<UInt64>, _ buffer: inout [UInt8]) -> [UInt8]? {
    guard (try? file?.read(range, into: &buffer)) != nil else { return nil }
    return Calls.Chunk.message(
      stream: stream,
      offset: range.lowerBound,
      data: buffer[..<range.count]
    )
  }
}

// Another daemon's.
extension CallOutput {
  /// What an earlier daemon left of an output.
  convenience init(
    _ stream: CallStream,
    _ entry: CallJournal,
    leftIn place: Place,
    _ buffer: inout [UInt8]
  ) {
    let number = Int(stream.rawValue)
    let shape = OutputRing(stream, entry)
    let kept = OutputFile.kept(
      in: place.positions,
      stream: number,
      capacity: shape.capacity + Self.restRoom
    )
    self.init(stream, ring: OutputRing(stream, entry, keeping: kept))
    lost = place.positions[.lost, number]
    // What comes has its place behind those.
    isDropping = lost > 0
    sent = 0
    guard !kept.isEmpty else { return }
    guard (try? openFile(place)) != nil else { return }
    hashAgain(&buffer)
  }

  /// All bytes are here, and not too many to read again.
  private func hashAgain(_ buffer: inout [UInt8]) {
    guard ring.start == 0, lost == 0, ring.end <= OutputRing.capacities.upperBound else { return }
    isHashed = true
    var next: UInt64 = 0
    while next < ring.end {
      let range = next..<min(ring.end, next + UInt64(buffer.count))
      digest(range, &buffer)
      next = range.upperBound
    }
  }

  /// Keeps what the supervisor read when it went without a daemon; what is too much is lost.
  func keepRest(_ bytes: [UInt8], _ place: Place) {
    guard !bytes.isEmpty, place.positions[.rest, Int(stream.rawValue)] == 0 else { return }
    // Behind bytes that nobody will get, or more than there is room for: neither can be.
    guard lost == 0, bytes.count <= Self.restRoom, (try? openFile(place).keepRest(bytes)) != nil
    else { return lose(UInt64(bytes.count)) }
    ring.append(bytes.count)
    digest(bytes[...])
  }
}

extension OutputRing {
  /// A ring as a call's journal says.
  init(_ stream: CallStream, _ entry: CallJournal, keeping kept: Range<UInt64> = 0..<0) {
    self.init(
      stream: stream,
      capacity: Int(entry.ringBytes),
      spill: Int(entry.spillBytes),
      whenFull: entry.dropsOldest ? .dropOldest : .block,
      keeping: kept
    )
  }
}

extension CallStream {
  var wire: DaemonWire.Stream { DaemonWire.Stream(rawValue: Int32(rawValue)) }

  init?(_ wire: DaemonWire.Stream) {
    guard let number = UInt8(exactly: wire.rawValue) else { return nil }
    self.init(rawValue: number)
  }
}

extension Positions {
  /// Positions as they came; a stream that nobody knows is left out.
  init(_ offsets: [StreamOffset]) {
    self.init()
    for entry in offsets {
      if let stream = CallStream(entry.stream) { self[stream] = entry.offset }
    }
  }
}
