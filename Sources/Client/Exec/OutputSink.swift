internal import Crypto
internal import EventLoop
internal import SwiftProtobuf
internal import Wire

/// Where a command's output goes. Checks that no byte is lost or repeated.
actor OutputSink {
  /// Output is acknowledged in steps of so much; the daemon's buffer holds far more.
  private static let step = 64 * 1024
  /// What each message counts beside its bytes. A message costs the daemon credit for its envelope
  /// too, and one of a single byte nothing else: 64 KiB of those would be far beyond its window.
  private static let envelope = 32

  /// Writes block, and a reader may be slow.
  private let writer = WorkerPool(name: "output", threads: 1)
  private let write: @Sendable (Gatehouse_Tools_V1_Stream, [UInt8]) throws -> Void
  private var streams: [Gatehouse_Tools_V1_Stream: Progress] = [:]
  private var unacknowledged = 0

  private struct Progress {
    var position: UInt64 = 0
    var digest = Digest()
    var hasGap = false
  }

  /// A reference, since a hash can't be copied.
  private final class Digest {
    private var hash = SHA256()
    func update(_ bytes: [UInt8]) { hash.update(bytes.span) }
    func finish() -> [UInt8] { hash.finalize() }
  }

  init(_ write: @escaping @Sendable (Gatehouse_Tools_V1_Stream, [UInt8]) throws -> Void) {
    self.write = write
  }

  /// - Returns: an acknowledgement that is due.
  /// - Throws: `ClientError` for a wrong position; `ConsoleError`; `CancellationError`.
  func take(_ chunk: Gatehouse_Tools_V1_Chunk) async throws -> Gatehouse_Tools_V1_Ack? {
    let bytes = Array(chunk.data)
    try advance(chunk.stream, from: chunk.offset, by: UInt64(bytes.count))
    streams[chunk.stream]?.digest.update(bytes)
    let (stream, write) = (chunk.stream, write)
    try await perform { try write(stream, bytes) }
    return acknowledgement(for: bytes.count)
  }

  /// - Returns: an acknowledgement that is due.
  /// - Throws: `ClientError` for a wrong position.
  func skip(_ gap: Gatehouse_Tools_V1_Gap) throws -> Gatehouse_Tools_V1_Ack? {
    try advance(gap.stream, from: gap.offset, by: gap.length)
    streams[gap.stream]?.hasGap = true
    return acknowledgement(for: 0)
  }

  /// What has come of each stream.
  var offsets: [Gatehouse_Tools_V1_StreamOffset] {
    streams.map { stream, progress in
      .with {
        $0.stream = stream
        $0.offset = progress.position
      }
    }
  }

  /// Runs what may block, after the output before it. A task that is cancelled does not wait for the
  /// end: a reader that has stopped keeps nobody here.
  ///
  /// - Throws: what `work` throws; `CancellationError`.
  func perform(_ work: @escaping @Sendable () throws -> Void) async throws {
    let end = AsyncValue<Result<Void, any Error>>()
    try writer.submit { end.set(Result(catching: work)) }
    try await end.value.get()
  }

  /// Compares what came with what the daemon counted. A daemon that did not see all bytes, since it
  /// took over from one that was killed, gives no digest.
  ///
  /// - Throws: `ClientError` when they differ.
  func check(_ totals: [Gatehouse_Tools_V1_StreamTotal]) throws {
    for total in totals {
      let progress = streams[total.stream] ?? Progress()
      guard progress.position == total.bytes else {
        throw Self.damage("\(progress.position) of \(total.bytes) bytes came")
      }
      let digest = Array(total.sha256)
      guard !progress.hasGap, !digest.isEmpty else { continue }
      guard progress.digest.finish() == digest else {
        throw Self.damage("its \(total.bytes) bytes are not those that were sent")
      }
    }
  }

  private static func damage(_ what: String) -> ClientError {
    ClientError("the output was damaged on its way: \(what)", exitCode: 125)
  }

  private func advance(
    _ stream: Gatehouse_Tools_V1_Stream,
    from offset: UInt64,
    by count: UInt64
  ) throws {
    let position = streams[stream]?.position ?? 0
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard offset == position, !overflow else {
      throw ClientError(
        "the plane sent byte \(offset) where byte \(position) was due",
        exitCode: 125
      )
    }
    streams[stream, default: Progress()].position = end
  }

  /// Names every stream: the plane lets go of entries in the order in which they came, so that a few
  /// bytes of one stream would hold those of all others.
  private func acknowledgement(for bytes: Int) -> Gatehouse_Tools_V1_Ack? {
    unacknowledged += bytes + Self.envelope
    guard unacknowledged >= Self.step else { return nil }
    unacknowledged = 0
    return .with { $0.offsets = offsets }
  }
}
