internal import EventLoop
internal import FoundationEssentials
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// Has tools run through the broker by a client of ours, and compares each byte of their output.
struct RelayCheck {
  let server: HostPort
  let identities: Identities
  /// The plane keeps the output on disk.
  var isKept = false

  /// Many calls that give their request back.
  ///
  /// - Returns: how many bytes an answer has, prefixes included.
  func echo(_ request: [UInt8], calls: Int) async throws -> ClosedRange<Int> {
    try await CheckedConnection.with(server, identities) { connection in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<calls {
          group.addTask {
            try await Answer(giving: request).ask(ScriptedDaemon.echoTool, request, on: connection)
          }
        }
        var sizes: [Int] = []
        for try await size in group { sizes.append(size) }
        return (sizes.min() ?? 0)...(sizes.max() ?? 0)
      }
    }
  }

  /// One call that gives its request back.
  static func ask(_ request: [UInt8], on connection: Connection) async throws {
    _ = try await Answer(giving: request).ask(ScriptedDaemon.echoTool, request, on: connection)
  }

  /// One call with a long output.
  func bytes(_ count: Int) async throws {
    let answer = Answer(count: count) { BytePattern.matches($0, from: $1) }
    let request = Array("\(count)".utf8)
    _ = try await CheckedConnection.with(server, identities) { connection in
      try await answer.ask(ScriptedDaemon.bytesTool, request, on: connection, isKept: isKept)
    }
  }

  /// An `Invoke` of a tool with these bytes as its request.
  static func start(
    _ tool: String,
    _ request: [UInt8],
    isKept: Bool = false
  ) throws -> [UInt8] {
    var message = Gatehouse_Tools_V1_InvokeRequest()
    message.start.workspace = BenchWorkspaces.id
    message.start.tool = tool
    message.start.request = Data(request)
    if isKept { message.start.log = .keep }
    return try message.serializedBytes()
  }
}

/// What a call's output must be.
private struct Answer: Sendable {
  let count: Int
  /// Whether bytes, all within `count`, are those at a position.
  let matches: @Sendable (_ bytes: Data, _ position: Int) -> Bool

  init(count: Int, matches: @escaping @Sendable (Data, Int) -> Bool) {
    (self.count, self.matches) = (count, matches)
  }

  init(giving request: [UInt8]) {
    self.init(count: request.count) { bytes, position in
      bytes.elementsEqual(request[position..<position + bytes.count])
    }
  }

  /// Runs the call; gives the bytes of its answer, prefixes included.
  func ask(
    _ tool: String,
    _ request: [UInt8],
    on connection: Connection,
    isKept: Bool = false
  ) async throws -> Int {
    let call = try await connection.openStream(PlaneMethods.invoke)
    try await call.send(RelayCheck.start(tool, request, isKept: isKept))
    await call.halfClose()
    var (position, size, hasExit) = (0, 0, false)
    while let bytes = try await call.next() {
      size += bytes.count + RequestFile.prefixBytes
      switch try Gatehouse_Tools_V1_InvokeResponse(serializedBytes: bytes).message {
      case .chunk(let chunk): try take(chunk, at: &position)
      case .exit(let exit): hasExit = exit.outcome == .exited && exit.code == 0
      case .gap: throw BenchError("\(tool): output was lost")
      default: break
      }
    }
    guard hasExit, position == count else {
      throw BenchError("\(tool): \(position) of \(count) bytes; exit seen: \(hasExit)")
    }
    return size
  }

  private func take(_ chunk: Gatehouse_Tools_V1_Chunk, at position: inout Int) throws {
    let end = position + chunk.data.count
    guard chunk.stream == .stdout, chunk.offset == position, end <= count,
      matches(chunk.data, position)
    else { throw BenchError("the output differs after byte \(position)") }
    position = end
  }
}
