internal import EventLoop
internal import FoundationEssentials
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// How long answers took, one after the other.
struct RoundTrips: Sendable {
  /// In µs, ascending.
  private let times: [Double]

  init(_ times: [Duration]) { self.times = times.map { $0 / .microseconds(1) }.sorted() }

  var median: Double { quantile(0.5) }
  var tail: Double { quantile(0.99) }

  private func quantile(_ share: Double) -> Double {
    times.isEmpty ? 0 : times[min(times.count - 1, Int(Double(times.count) * share))]
  }

  /// Times `count` runs of `body`, after a tenth as many that are not counted.
  static func measure(_ count: Int, _ body: (_ index: Int) async throws -> Void) async throws
    -> RoundTrips
  {
    var times: [Duration] = []
    let warmUp = count / 10
    for index in 0..<warmUp + count {
      let start = ContinuousClock.now
      try await body(index)
      if index >= warmUp { times.append(.now - start) }
    }
    return RoundTrips(times)
  }
}

/// Bytes that go forth and back on one open call.
struct Ping {
  static let size = 16

  /// On a stream to the echo server, nothing between.
  static func direct(_ count: Int, on connection: Connection) async throws -> RoundTrips {
    let call = try await connection.openStream(EchoService.echo)
    let trips = try await RoundTrips.measure(count) { index in
      let message = Array(BytePattern.bytes(from: index * size, count: size))
      try await call.send(message)
      guard try await call.next() == message else {
        throw BenchError("ping \(index) came back different")
      }
    }
    await call.cancel()
    return trips
  }

  /// As a call's input and output, through the broker.
  static func relayed(_ count: Int, on connection: Connection) async throws -> RoundTrips {
    let call = try await connection.openStream(PlaneMethods.invoke)
    try await call.send(RelayCheck.start(ScriptedDaemon.pongTool, []))
    let trips = try await RoundTrips.measure(count) { index in
      let position = index * size
      try await call.send(input(BytePattern.bytes(from: position, count: size), at: position))
      try await take(position, from: call)
    }
    await call.cancel()
    return trips
  }

  private static func take(_ position: Int, from call: ClientStream) async throws {
    while let bytes = try await call.next() {
      switch try Gatehouse_Tools_V1_InvokeResponse(serializedBytes: bytes).message {
      case .chunk(let chunk):
        guard chunk.offset == position, chunk.data.count == size,
          BytePattern.matches(chunk.data, from: position)
        else { throw BenchError("the output differs after byte \(position)") }
        return
      case .exit(let exit): throw BenchError("the call ended: \(exit.outcome)")
      default: break
      }
    }
    throw BenchError("the call ended")
  }

  private static func input(_ data: ArraySlice<UInt8>, at position: Int) throws -> [UInt8] {
    var message = Gatehouse_Tools_V1_InvokeRequest()
    message.chunk.stream = .stdin
    message.chunk.offset = UInt64(position)
    message.chunk.data = .init(data)
    return try message.serializedBytes()
  }
}
