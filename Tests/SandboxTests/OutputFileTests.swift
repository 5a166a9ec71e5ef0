import EventLoop
import FoundationEssentials
import Sandbox
import TestSupport
import Testing

/// The ring of one output, in a folder of its own.
private final class TestedOutput {
  static let capacity = 64 * 1_024
  static let stream = 2

  private let path: String
  let folder: StateFolder
  let positions: TransferPositions
  let pipe: Pipe
  var file: OutputFile
  private var buffer = [UInt8](repeating: 0, count: 128 * 1_024)

  init() throws {
    path = "/tmp/gatehouse-output-\(UInt64.random(in: 0 ... .max))"
    folder = try StateFolder(path)
    positions = try TransferPositions(in: folder, named: "positions")
    pipe = try Pipe()
    file = try Self.open(folder, positions)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  private static func open(
    _ folder: borrowing StateFolder,
    _ positions: TransferPositions
  ) throws -> OutputFile {
    try OutputFile(
      in: folder,
      named: "output",
      capacity: capacity,
      positions: positions,
      stream: stream
    )
  }

  /// As a daemon that was killed, and the next.
  func reopen() throws { file = try Self.open(folder, positions) }

  func write(_ bytes: [UInt8]) throws {
    #expect(try pipe.writing.descriptor.write(bytes.span) == .bytes(bytes.count))
  }

  func take(_ limit: Int, from start: UInt64 = 0) throws -> [UInt8] {
    let count = try file.take(
      from: pipe.reading.descriptor,
      by: &buffer,
      limit: limit,
      keepingFrom: start
    )
    let end = positions[.end, Self.stream]
    return try read(end - UInt64(count)..<end)
  }

  func take(from source: borrowing Descriptor, to end: UInt64) throws {
    while case let taken = positions[.end, Self.stream], taken < end {
      _ = try file.take(
        from: source,
        by: &buffer,
        limit: Int(end - taken),
        keepingFrom: positions[.start, Self.stream]
      )
    }
  }

  func read(_ range: Range<UInt64>) throws -> [UInt8] {
    try file.read(range, into: &buffer)
    return Array(buffer[..<range.count])
  }

  var kept: Range<UInt64> {
    OutputFile.kept(in: positions, stream: Self.stream, capacity: Self.capacity)
  }
}

private func bytes(_ range: Range<UInt64>) -> [UInt8] {
  range.map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
}

struct OutputFileTests {
  @Test func `has what came through the pipe, across the seam and its reopening`() throws {
    let output = try TestedOutput()
    var random = Seeded(3)
    var (start, end): (UInt64, UInt64) = (0, 0)
    while end < 1_000_000 {
      let room = TestedOutput.capacity - Int(end - start)
      let count = UInt64(Int.random(in: 0...min(room, 30_000), using: &random))
      if count > 0 {
        try output.write(bytes(end..<end + count))
        var left = count
        while left > 0 {
          let taken = try output.take(Int(left), from: start)
          #expect(!taken.isEmpty && taken == bytes(end..<end + UInt64(taken.count)))
          end += UInt64(taken.count)
          left -= UInt64(taken.count)
        }
      }
      if Int.random(in: 0..<4, using: &random) == 0 { try output.reopen() }
      try #require(output.kept == start..<end)
      #expect(try output.read(start..<end) == bytes(start..<end))
      start =
        Int.random(in: 0..<3, using: &random) == 0 ? end : .random(in: start...end, using: &random)
      output.file.keep(from: start)
    }
  }

  @Test(arguments: [0, 30_000, 60_000])
  func `counts what the kernel had moved for a process that did not live to`(before: Int) throws {
    let output = try TestedOutput()
    let (first, second) = (UInt64(before), UInt64(before) + 4_000)
    if before > 0 {
      try output.write(bytes(0..<first))
      while positionsEnd(output) < first { _ = try output.take(before) }
    }
    try output.write(bytes(first..<second))
    _ = try output.take(4_000)
    // As it is when the process is killed in the system call.
    output.positions[.end, TestedOutput.stream] = first
    #expect(output.kept == 0..<second)
    #expect(try output.read(0..<second) == bytes(0..<second))
    // And once more, with all of it counted.
    #expect(output.kept == 0..<second)
  }

  private func positionsEnd(_ output: TestedOutput) -> UInt64 {
    output.positions[.end, TestedOutput.stream]
  }

  @Test func `counts no lap twice`() throws {
    let output = try TestedOutput()
    for lap in 0..<4 {
      let start = UInt64(lap) * 32_768
      try output.write(bytes(start..<start + 32_768))
      _ = try output.take(32_768, from: start)
      #expect(output.kept == start..<start + 32_768)
    }
  }

  /// What is no pipe is read and written, as on a file system that cannot splice.
  @Test func `counts nothing that was not there where it is read and written`() throws {
    let output = try TestedOutput()
    let source = try Descriptor.memoryFile("source", holding: bytes(0..<80_000))
    try output.take(from: source, to: 40_000)
    try output.reopen()
    try output.take(from: source, to: 60_000)
    output.file.keep(from: 50_000)
    try output.take(from: source, to: 80_000)
    #expect(output.kept == 50_000..<80_000)
    #expect(try output.read(50_000..<80_000) == bytes(50_000..<80_000))
  }

  @Test func `is in doubt for good once one died between a transfer and its count`() throws {
    let output = try TestedOutput()
    output.positions.begin()
    let second = try TransferPositions(in: output.folder, named: "positions")
    #expect(second.inDoubt)
    second.begin()
    second.commit(1, to: .lost, TestedOutput.stream)
    #expect(second.inDoubt)
  }

  @Test func `keeps the rest that a supervisor read, or none of it`() throws {
    let output = try TestedOutput()
    try output.write(bytes(0..<60_000))
    while positionsEnd(output) < 60_000 { _ = try output.take(60_000) }
    output.file.keep(from: 50_000)
    try output.file.keepRest(bytes(60_000..<70_000))
    try output.reopen()
    #expect(output.kept == 50_000..<70_000)
    #expect(try output.read(50_000..<70_000) == bytes(50_000..<70_000))
  }
}
