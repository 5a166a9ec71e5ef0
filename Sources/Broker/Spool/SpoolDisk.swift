internal import Calls
internal import Host

/// What is done to the files of a spool, on its workers' threads. Blocks.
struct SpoolDisk: Sendable {
  static let folder = "spool"

  /// Absolute.
  let path: String
  let segmentBytes: Int

  /// Why something was not done.
  enum Failure: Error {
    /// There is no room for another file.
    case noRoom(HostError)
    case failed(HostError)

    var reason: HostError {
      switch self {
      case .noRoom(let error), .failed(let error): error
      }
    }
  }

  /// What is to be written at once, into one segment.
  struct Batch: Sendable {
    let segment: CallSpool.Segment
    /// In bytes, where the records go.
    let offset: Int
    let records: [SpoolRecord]
    /// Whose they are.
    let call: String
    let chat: String
    /// The segment is new: the file held something that its next user must not keep.
    let wipesRest: Bool
    /// The segment has no header yet.
    let isNew: Bool
    /// Nil: it has to be opened.
    let file: SegmentFile?
  }

  private func name(_ slot: Int) -> String { "\(path)/\(slot)" }

  /// - Returns: the file, for what is written there next, and for `sync`.
  func write(_ batch: Batch) -> Result<SegmentFile, Failure> {
    let segment = batch.segment
    let file: SegmentFile
    do throws(HostError) {
      if let open = batch.file {
        file = open
      } else {
        file = try SegmentFile(name(segment.slot), bytes: segmentBytes)
      }
    } catch {
      return .failure(.noRoom(error))
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(segment.bytes - batch.offset + CallSpool.headerBytes)
    if batch.isNew {
      bytes = SegmentFormat.header(segment, call: batch.call, chat: batch.chat)
    }
    for record in batch.records {
      SegmentFormat.append(record, to: &bytes, nonce: segment.nonce)
    }
    if batch.wipesRest { bytes += [UInt8](repeating: 0, count: segmentBytes - bytes.count) }
    do throws(HostError) {
      try file.write(bytes, at: batch.isNew ? 0 : batch.offset)
      return .success(file)
    } catch {
      return .failure(.failed(error))
    }
  }

  func sync(_ files: [SegmentFile]) -> Result<Void, HostError> {
    do throws(HostError) {
      for file in files { try file.sync() }
      return .success(())
    } catch {
      return .failure(error)
    }
  }

  /// The whole records at a place, at most `maxBytes` of them, or one.
  func read(_ place: SpoolPlace, maxBytes: Int = 256 * 1_024) -> Result<SpoolPage, HostError> {
    let count = min(maxBytes, place.segment.written - place.offset)
    do throws(HostError) {
      let file = try SegmentFile(reading: name(place.segment.slot))
      let bytes = try file.read(count, at: place.offset)
      let (records, end) = SegmentFormat.records(in: bytes, nonce: place.segment.nonce)
      let next = records.isEmpty ? nil : place.offset + end
      return .success(SpoolPage(place: place, records: records, next: next))
    } catch {
      return .failure(error)
    }
  }

  /// Overwrites whole files, on the disk too; one that cannot be is removed.
  func wipe(_ slots: [Int]) {
    let zeros = [UInt8](repeating: 0, count: segmentBytes)
    for slot in slots {
      do throws(HostError) {
        let file = try SegmentFile(name(slot), bytes: segmentBytes)
        try file.write(zeros, at: 0)
        try file.sync()
      } catch {
        SegmentFile.remove(name(slot))
      }
    }
  }

  func remove(_ slots: [Int]) { for slot in slots { SegmentFile.remove(name(slot)) } }
}

// What an earlier plane left.
extension SpoolDisk {
  /// Every file there, with its header; nil for one that has none.
  func scan(_ state: StateFolder) throws(HostError) -> [(slot: Int, header: SegmentFormat.Header?)]
  {
    var found: [(slot: Int, header: SegmentFormat.Header?)] = []
    for name in try state.names(in: Self.folder) {
      guard let slot = Int(name), slot > 0 else { continue }
      let bytes = try? SegmentFile(reading: self.name(slot)).read(CallSpool.headerBytes, at: 0)
      found.append((slot, bytes.flatMap { SegmentFormat.header($0, slot: slot) }))
    }
    return found
  }

  /// One call's segments, as far as they are whole and follow on each other; torn ones end it.
  ///
  /// - Parameters:
  ///   - segments: of the call, in any order.
  ///   - isSettled: all was synced, so that only the end has to be looked for.
  /// - Returns: those that are whole, oldest first.
  func recover(_ segments: [CallSpool.Segment], isSettled: Bool) -> [CallSpool.Segment] {
    var byNumber: [UInt32: CallSpool.Segment] = [:]
    for segment in segments { byNumber[segment.number] = segment }
    var chain: [CallSpool.Segment] = []
    var next = byNumber.keys.max().flatMap { byNumber[$0] }
    while let segment = next {
      chain.append(segment)
      next = segment.previous < segment.number ? byNumber[segment.previous] : nil
    }
    chain.reverse()
    var whole: [CallSpool.Segment] = []
    for (index, segment) in chain.enumerated() {
      var segment = segment
      let following = index + 1 < chain.count ? chain[index + 1] : nil
      if let following, isSettled {
        segment.found(
          end: following.first,
          ends: following.starts,
          bytes: following.previousBytes
        )
        whole.append(segment)
        continue
      }
      guard read(&segment, syncs: !isSettled) else { break }
      whole.append(segment)
      if let following, following.previousBytes > segment.bytes { break }
    }
    return whole
  }

  /// Looks for its end, piece by piece, and has what is there on disk, synced.
  private func read(_ segment: inout CallSpool.Segment, syncs: Bool) -> Bool {
    do throws(HostError) {
      let file = try SegmentFile(name(segment.slot), bytes: segmentBytes)
      var (end, ends, next) = (segment.first, segment.starts, CallSpool.headerBytes)
      // Most outputs are short.
      var piece = Self.leastPiece
      while true {
        let bytes = try file.read(min(piece, segmentBytes - next), at: next)
        let (records, length) = SegmentFormat.records(in: bytes, nonce: segment.nonce)
        for record in records {
          ends[record.item.stream] = record.item.end
          end = record.index + 1
        }
        next += length
        if records.isEmpty { break }
        piece = Self.largePiece
      }
      segment.found(end: end, ends: ends, bytes: next)
      if syncs { try file.sync() }
      return true
    } catch {
      return false
    }
  }

  /// Each holds the largest record.
  private static let leastPiece = 80 << 10
  private static let largePiece = 256 << 10
}
