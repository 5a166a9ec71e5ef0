import Compression
import HTTP2
import Testing

@testable import RPC

@Suite struct `Compressed messages` {
  private static func table(accepts: Bool, isServer: Bool = true) -> StreamTable {
    var limits = ConnectionLimits()
    limits.acceptsGzip = accepts
    limits.maxMessageBytes = 100_000
    return StreamTable(isServer: isServer, limits: limits)
  }

  private static func wire(_ message: [UInt8], flag: UInt8) -> [UInt8] {
    var bytes: [UInt8] = []
    MessageAssembler.appendPrefix(length: message.count, to: &bytes)
    bytes[0] = flag
    return bytes + message
  }

  private static func open(_ table: StreamTable, encoding: String?) {
    table.headersBegan(on: 1)
    table.receive(":method", "POST")
    table.receive("content-type", "application/grpc")
    if let encoding { table.receive("grpc-encoding", encoding) }
    table.headersEnded(on: 1)
  }

  @Test(arguments: 1...30)
  func `a message is inflated, however it is cut`(step: Int) throws {
    let table = Self.table(accepts: true)
    Self.open(table, encoding: "gzip")
    let message = [UInt8](repeating: 7, count: 5_000)
    let wire = Self.wire(try Gzip.compress(message), flag: 1) + Self.wire([1, 2], flag: 0)
    for start in stride(from: 0, to: wire.count, by: step) {
      table.data(on: 1, Array(wire[start..<min(start + step, wire.count)]).span)
    }
    #expect(table.messages == [message, [1, 2]])
    #expect(table.credits.reduce(0, +) == wire.count)
    #expect(table.failures.isEmpty)
  }

  @Test func `an unknown encoding is named, and what is known`() {
    let table = Self.table(accepts: true)
    Self.open(table, encoding: "snappy")
    let status = table.failures.first
    #expect(status?.code == .unimplemented)
    #expect(status?.message.contains("snappy") == true)
    #expect(status?.trailers["grpc-accept-encoding"] == "identity,gzip")
  }

  @Test func `gzip is refused where nobody asked for it`() {
    let table = Self.table(accepts: false)
    Self.open(table, encoding: "gzip")
    #expect(table.failures.first?.code == .unimplemented)
    #expect(table.failures.first?.trailers["grpc-accept-encoding"] == "identity")
  }

  @Test func `an encoding that a client cannot read is the server's fault`() {
    let table = Self.table(accepts: true, isServer: false)
    _ = table.open(1)
    Self.open(table, encoding: "br")
    #expect(table.failures.first?.code == .internalError)
  }

  @Test(arguments: [nil, "identity"])
  func `a flag without an encoding is refused`(encoding: String?) throws {
    let table = Self.table(accepts: true)
    Self.open(table, encoding: encoding)
    table.data(on: 1, Self.wire(try Gzip.compress([1]), flag: 1).span)
    #expect(table.failures.first?.code == .internalError)
    #expect(table.messages.isEmpty)
  }

  @Test func `the limit counts what comes out`() throws {
    let table = Self.table(accepts: true)
    Self.open(table, encoding: "gzip")
    let bomb = try Gzip.compress([UInt8](repeating: 0, count: 100_001))
    table.data(on: 1, Self.wire(bomb, flag: 1).span)
    #expect(table.failures.first?.code == .resourceExhausted)
    #expect(table.messages.isEmpty)
  }

  @Test func `many small bombs are stopped, since the window does not see them`() throws {
    let table = Self.table(accepts: true)
    Self.open(table, encoding: "gzip")
    let large = try Gzip.compress([UInt8](repeating: 0, count: 100_000))
    for _ in 0..<4 { table.data(on: 1, Self.wire(large, flag: 1).span) }
    #expect(table.failures.isEmpty)
    table.data(on: 1, Self.wire(large, flag: 1).span)
    #expect(table.failures.first?.code == .resourceExhausted)
    #expect(table.messages.count == 4)
  }

  @Test func `garbage with the flag set is refused`() {
    let table = Self.table(accepts: true)
    Self.open(table, encoding: "gzip")
    table.data(on: 1, Self.wire([1, 2, 3], flag: 1).span)
    #expect(table.failures.first?.code == .internalError)
  }

  @Test(arguments: ["gzip", "identity, deflate, gzip", "gzip,br"])
  func `gzip is found in a list`(list: String) {
    let names = IncomingFields.namesGzip(Array(list.utf8).span)
    #expect(names)
  }

  @Test(arguments: ["", "identity", "xgzip", "gzip2, deflate"])
  func `gzip is not found where it is not`(list: String) {
    let names = IncomingFields.namesGzip(Array(list.utf8).span)
    #expect(!names)
  }
}

@Suite struct `Requests` {
  @Test(arguments: ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"])
  func `gRPC's content types are taken`(type: String) {
    let table = StreamTable(isServer: true, limits: ConnectionLimits())
    table.headersBegan(on: 1)
    table.receive("content-type", type)
    #expect(table.state(1)?.fields.isGRPC == true)
  }

  @Test(arguments: ["application/grpc-web", "application/grpc-web+proto", "application/json", ""])
  func `others are not`(type: String) {
    let table = StreamTable(isServer: true, limits: ConnectionLimits())
    table.headersBegan(on: 1)
    table.receive("content-type", type)
    #expect(table.state(1)?.fields.isGRPC == false)
  }

  @Test(arguments: ["A", "AQ=", "====", "A-==", "AQI,?", "AQ==,A"])
  func `binary metadata that is no base64 ends the call`(value: String) {
    let table = StreamTable(isServer: true, limits: ConnectionLimits())
    table.headersBegan(on: 1)
    table.receive(":method", "POST")
    table.receive("content-type", "application/grpc")
    table.receive("x-bin", value)
    table.headersEnded(on: 1)
    #expect(table.failures.first?.code == .internalError)
    #expect(table.failures.first?.message.contains("x-bin") == true)
  }

  @Test(
    arguments: [
      ("AQI", [[1, 2]]), ("AQI=", [[1, 2]]), ("AQI,Aw==", [[1, 2], [3]]),
      ("AQI, Aw", [[1, 2], [3]]),
      ("", [[]]), (",", [[], []]),
    ] as [(String, [[UInt8]])]
  )
  func `binary metadata may be padded or not, and joined`(value: String, expected: [[UInt8]]) {
    var metadata = Metadata()
    let isTaken = metadata.addField(name: "x-bin", value: Array(value.utf8))
    #expect(isTaken)
    #expect(metadata.all("x-bin") == expected)
  }

  @Test func `an error's details pass`() {
    var metadata = Metadata()
    let isTaken = metadata.addField(name: "grpc-status-details-bin", value: Array("AQ".utf8))
    #expect(isTaken)
    #expect(metadata.bytes("grpc-status-details-bin") == [1])
  }
}

@Suite struct `Answers` {
  private static func fields(_ status: String, _ type: String?) -> IncomingFields {
    var fields = IncomingFields()
    fields.take(name: Array(":status".utf8).span, value: Array(status.utf8).span)
    if let type {
      fields.take(name: Array("content-type".utf8).span, value: Array(type.utf8).span)
    }
    return fields
  }

  @Test(arguments: [
    ("400", RPCStatus.Code.internalError), ("401", .unauthenticated), ("403", .permissionDenied),
    ("404", .unimplemented), ("429", .unavailable), ("502", .unavailable), ("503", .unavailable),
    ("504", .unavailable), ("500", .unknown), ("302", .unknown), ("200", .unknown),
  ])
  func `an HTTP answer means what gRPC's table says`(status: String, code: RPCStatus.Code) {
    #expect(Self.fields(status, "text/html").foreignAnswer?.code == code)
  }

  @Test func `gRPC's answers are its own`() {
    #expect(Self.fields("200", "application/grpc+proto").foreignAnswer == nil)
  }
}

extension StreamTable {
  /// A field on stream 1.
  func receive(_ name: String, _ value: String) {
    header(on: 1, name: Array(name.utf8).span, value: Array(value.utf8).span)
  }

  var messages: [[UInt8]] {
    events.compactMap { if case .message(_, let message, _) = $0 { message } else { nil } }
  }

  var credits: [Int] {
    events.compactMap { if case .message(_, _, let credit) = $0 { credit } else { nil } }
  }

  var failures: [RPCStatus] {
    events.compactMap { if case .failed(_, let status) = $0 { status } else { nil } }
  }
}
