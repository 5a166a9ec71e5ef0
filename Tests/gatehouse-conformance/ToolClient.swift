internal import Calls
internal import Crypto
internal import Foundation
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// Runs commands in the workspace as any client does.
struct ToolClient: Sendable {
  let connection: Connection
  let workspace: String

  init(_ connection: Connection, workspace: String) {
    self.connection = connection
    self.workspace = workspace
  }

  func unary<Response: Message>(_ path: String, _ request: some Message) async throws -> Response {
    try Response(serializedBytes: await connection.unary(path, request.serializedBytes()))
  }

  /// Starts `argv` by `process.exec`.
  func exec(
    _ argv: [String],
    timeout: Duration = .seconds(60),
    _ change: (inout Gatehouse_Tools_V1_ExecRequest) -> Void = { _ in }
  ) async throws -> RunningCall {
    var request = Gatehouse_Tools_V1_ExecRequest()
    request.argv = argv.map { Data($0.utf8) }
    change(&request)
    return try await start("process.exec", request.serializedBytes(), timeout: timeout)
  }

  /// Starts a script of `sh`.
  func shell(_ script: String, timeout: Duration = .seconds(60)) async throws -> RunningCall {
    try await exec(["/bin/sh", "-c", script], timeout: timeout)
  }

  func start(
    _ tool: String,
    _ request: [UInt8],
    timeout: Duration = .seconds(60)
  ) async throws -> RunningCall {
    let stream = try await connection.openStream("/gatehouse.tools.v1.Tools/Invoke")
    var message = Gatehouse_Tools_V1_InvokeRequest()
    message.start.workspace = workspace
    message.start.tool = tool
    message.start.request = Data(request)
    message.start.timeoutMs = UInt64(timeout / .milliseconds(1))
    try await stream.send(message.serializedBytes())
    return RunningCall(stream)
  }

  func cancel(_ id: String) async throws -> Gatehouse_Tools_V1_Exit {
    var request = Gatehouse_Tools_V1_CancelRequest()
    request.callID = id
    let answer: Gatehouse_Tools_V1_CancelResponse = try await unary(
      "/gatehouse.tools.v1.Tools/Cancel",
      request
    )
    return answer.exit
  }
}

/// A call that runs: what came of it so far, each byte at its place.
///
/// Why @unchecked Sendable: one task reads it; another may write, which shares nothing with reading.
final class RunningCall: @unchecked Sendable {
  private let stream: ClientStream
  private(set) var id = ""
  private(set) var states: [Gatehouse_Tools_V1_CallState] = []
  private(set) var exit: Gatehouse_Tools_V1_Exit?
  private(set) var outputs: [CallStream: Output] = [:]
  private(set) var stdinTaken: UInt64 = 0
  private var stdinSent: UInt64 = 0
  /// Whether output is kept; its digest is taken in any case.
  var keepsOutput = true

  final class Output {
    fileprivate(set) var end: UInt64 = 0
    fileprivate(set) var lost: UInt64 = 0
    fileprivate(set) var bytes: [UInt8] = []
    fileprivate var digest = SHA256()
  }

  init(_ stream: ClientStream) { self.stream = stream }

  var stdout: [UInt8] { outputs[.stdout]?.bytes ?? [] }
  var stderr: [UInt8] { outputs[.stderr]?.bytes ?? [] }

  /// Takes one message.
  ///
  /// - Throws: `Failure` when a byte is missing, comes twice, or behind the exit.
  func next() async throws {
    guard let bytes = try await stream.next() else {
      throw Failure("the call ended without an exit")
    }
    let message = try Gatehouse_Tools_V1_InvokeResponse(serializedBytes: bytes)
    switch message.message {
    case .accepted(let accepted): id = accepted.callID
    case .state(let change): states.append(change.state)
    case .ack(let ack): stdinTaken = ack.offsets.first { $0.stream == .stdin }?.offset ?? stdinTaken
    case .chunk(let chunk): try take(chunk)
    case .gap(let gap): try take(gap)
    case .exit(let exit): self.exit = exit
    case nil: break
    }
  }

  private func take(_ chunk: Gatehouse_Tools_V1_Chunk) throws {
    guard let stream = CallStream(rawValue: UInt8(chunk.stream.rawValue)) else { return }
    let output = outputs[stream] ?? Output()
    outputs[stream] = output
    try expectEqual(chunk.offset, output.end, "the offset of a chunk of \(stream)")
    output.end += UInt64(chunk.data.count)
    let bytes = Array(chunk.data)
    output.digest.update(bytes.span)
    if keepsOutput { output.bytes += bytes }
  }

  private func take(_ gap: Gatehouse_Tools_V1_Gap) throws {
    guard let stream = CallStream(rawValue: UInt8(gap.stream.rawValue)) else { return }
    let output = outputs[stream] ?? Output()
    outputs[stream] = output
    try expectEqual(gap.offset, output.end, "the offset of a gap in \(stream)")
    output.end += gap.length
    output.lost += gap.length
  }

  func readAccepted() async throws { while id.isEmpty { try await next() } }

  /// Reads until there are so many bytes of stdout.
  func read(_ count: UInt64) async throws {
    while outputs[.stdout]?.end ?? 0 < count {
      try expect(exit == nil, "the call ended before it wrote \(count) bytes")
      try await next()
    }
  }

  func readUntil(_ text: String) async throws {
    while !String(decoding: stdout, as: UTF8.self).contains(text) {
      try expect(exit == nil, "the call ended before it wrote '\(text)'")
      try await next()
    }
  }

  /// Reads to the end, and checks the totals of the exit against what came.
  @discardableResult
  func finish() async throws -> Gatehouse_Tools_V1_Exit {
    while exit == nil { try await next() }
    guard let exit else { throw Failure("no exit") }
    for total in exit.totals {
      guard let stream = CallStream(rawValue: UInt8(total.stream.rawValue)) else { continue }
      let output = outputs[stream] ?? Output()
      try expectEqual(output.end, total.bytes, "what came of \(stream)")
      guard output.lost == 0, !total.sha256.isEmpty else { continue }
      let digest = output.digest.finalize()
      try expectEqual(digest, Array(total.sha256), "the digest of \(stream)")
    }
    for (stream, output) in outputs where output.end > 0 {
      let isCounted = exit.totals.contains { $0.stream.rawValue == Int(stream.rawValue) }
      try expect(isCounted, "the exit has no total of \(stream)")
    }
    return exit
  }

  func expectExit(code: Int32) async throws {
    let exit = try await finish()
    try expectEqual(exit.outcome, .exited, "the outcome")
    try expectEqual(exit.code, code, "the exit code")
  }

  func expectExit(_ outcome: Gatehouse_Tools_V1_Outcome) async throws {
    try expectEqual(try await finish().outcome, outcome, "the outcome")
  }

  // MARK: Input

  func write(_ bytes: [UInt8]) async throws {
    for start in stride(from: 0, to: bytes.count, by: 32_768) {
      let part = bytes[start..<min(start + 32_768, bytes.count)]
      try await stream.send(Chunk.message(stream: .stdin, offset: stdinSent, data: part))
      stdinSent += UInt64(part.count)
    }
  }

  func closeStdin() async throws {
    var message = Gatehouse_Tools_V1_InvokeRequest()
    message.closeStdin.offset = stdinSent
    try await stream.send(message.serializedBytes())
  }

  func signal(_ number: Int32) async throws {
    var message = Gatehouse_Tools_V1_InvokeRequest()
    message.signal.number = number
    try await stream.send(message.serializedBytes())
  }

  /// Goes away: the call has no owner then, and is cancelled.
  func leave() async { await stream.cancel() }
}
