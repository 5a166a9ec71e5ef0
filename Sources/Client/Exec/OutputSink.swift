internal import Crypto
internal import EventLoop
internal import SwiftProtobuf
internal import Wire

/// Where a command's output goes. Checks that no byte is lost or repeated.
actor OutputSink {
  /// Positions are acknowledged in steps of this many bytes; the daemon's buffer holds far more.
  private static let step: UInt64 = 64 * 1024

  /// Writes block, and a reader may be slow.
  private let writer = WorkerPool(name: "output", threads: 1)
  private let write: @Sendable (Gatehouse_Tools_V1_Stream, [UInt8]) throws -> Void
  private var streams: [Gatehouse_Tools_V1_Stream: Progress] = [:]

  private struct Progress {
    var position: UInt64 = 0
    var acknowledged: UInt64 = 0
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
  /// - Throws: `ClientError` for a wrong position; `ConsoleError`.
  func take(_ chunk: Gatehouse_Tools_V1_Chunk) async throws -> Gatehouse_Tools_V1_Ack? {
    var progress = streams[chunk.stream] ?? Progress()
    guard chunk.offset == progress.position else {
      throw ClientError(
        "the plane sent byte \(chunk.offset) where byte \(progress.position) was due",
        exitCode: 125
      )
    }
    let bytes = Array(chunk.data)
    progress.digest.update(bytes)
    progress.position += UInt64(bytes.count)
    streams[chunk.stream] = progress
    let (stream, write) = (chunk.stream, write)
    try await writer.run { try write(stream, bytes) }
    return acknowledgement(of: chunk.stream)
  }

  func skip(_ gap: Gatehouse_Tools_V1_Gap) {
    var progress = streams[gap.stream] ?? Progress()
    progress.position = gap.offset + gap.length
    progress.hasGap = true
    streams[gap.stream] = progress
  }

  /// Compares what came with what the daemon counted.
  ///
  /// - Throws: `ClientError` when they differ.
  func check(_ totals: [Gatehouse_Tools_V1_StreamTotal]) throws {
    for total in totals {
      let progress = streams[total.stream] ?? Progress()
      guard !progress.hasGap else { continue }
      guard progress.position == total.bytes, progress.digest.finish() == Array(total.sha256) else {
        throw ClientError(
          "the output was damaged on its way: \(progress.position) of \(total.bytes) bytes came",
          exitCode: 125
        )
      }
    }
  }

  private func acknowledgement(
    of stream: Gatehouse_Tools_V1_Stream
  ) -> Gatehouse_Tools_V1_Ack? {
    guard let progress = streams[stream], progress.position - progress.acknowledged >= Self.step
    else { return nil }
    streams[stream]?.acknowledged = progress.position
    return .with {
      $0.offsets = [
        .with {
          $0.stream = stream
          $0.offset = progress.position
        }
      ]
    }
  }
}
