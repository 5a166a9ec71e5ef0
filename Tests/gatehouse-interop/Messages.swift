internal import RPC

// The messages of `grpc.testing` as values; the shapes are in Proto/interop/messages.proto.
//
// Written by hand: they have few fields, generated code for them would have to live in `Wire`,
// which the product links, and the plugin takes ten minutes to build. Python's generated code, at
// the other end of every test, checks them.

/// Reads and writes itself.
protocol InteropMessage: Equatable, Sendable {
  init()
  /// Takes one field; ignores those it does not know.
  mutating func take(_ number: Int, _ value: ProtobufReader.Value) throws
  func write(to writer: inout ProtobufWriter)
}

extension InteropMessage {
  init(_ bytes: ArraySlice<UInt8>) throws {
    self.init()
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() { try take(number, value) }
  }

  var bytes: [UInt8] {
    var writer = ProtobufWriter()
    write(to: &writer)
    return writer.bytes
  }
}

struct Empty: InteropMessage {
  mutating func take(_ number: Int, _ value: ProtobufReader.Value) {}
  func write(to writer: inout ProtobufWriter) {}
}

struct BoolValue: InteropMessage {
  var value = false

  mutating func take(_ number: Int, _ value: ProtobufReader.Value) {
    if number == 1 { self.value = value.bool }
  }

  func write(to writer: inout ProtobufWriter) { writer.add(1, value) }
}

extension BoolValue: ExpressibleByBooleanLiteral {
  init(booleanLiteral value: Bool) { self.value = value }
}

struct Payload: InteropMessage {
  var body: [UInt8] = []

  static func zeros(_ count: Int) -> Payload {
    Payload(body: [UInt8](repeating: 0, count: count))
  }

  mutating func take(_ number: Int, _ value: ProtobufReader.Value) {
    if number == 2 { body = Array(value.slice) }
  }

  func write(to writer: inout ProtobufWriter) { writer.add(2, body) }
}

struct EchoStatus: InteropMessage {
  var code: Int32 = 0
  var message = ""

  mutating func take(_ number: Int, _ value: ProtobufReader.Value) throws {
    if number == 1 { code = value.int32 }
    if number == 2 { message = try value.string }
  }

  func write(to writer: inout ProtobufWriter) {
    writer.add(1, code)
    writer.add(2, message)
  }
}

struct SimpleRequest: InteropMessage {
  var responseSize: Int32 = 0
  var payload = Payload()
  var responseCompressed: BoolValue?
  var responseStatus: EchoStatus?
  var expectCompressed: BoolValue?

  mutating func take(_ number: Int, _ value: ProtobufReader.Value) throws {
    switch number {
    case 2: responseSize = value.int32
    case 3: payload = try Payload(value.slice)
    case 6: responseCompressed = try BoolValue(value.slice)
    case 7: responseStatus = try EchoStatus(value.slice)
    case 8: expectCompressed = try BoolValue(value.slice)
    default: break
    }
  }

  func write(to writer: inout ProtobufWriter) {
    writer.add(2, responseSize)
    writer.addElement(3, payload.bytes)
    if let responseCompressed { writer.addElement(6, responseCompressed.bytes) }
    if let responseStatus { writer.addElement(7, responseStatus.bytes) }
    if let expectCompressed { writer.addElement(8, expectCompressed.bytes) }
  }
}

/// `SimpleResponse` and `StreamingOutputCallResponse`: their first field is all that we fill.
struct PayloadResponse: InteropMessage {
  var payload = Payload()

  mutating func take(_ number: Int, _ value: ProtobufReader.Value) throws {
    if number == 1 { payload = try Payload(value.slice) }
  }

  func write(to writer: inout ProtobufWriter) { writer.addElement(1, payload.bytes) }
}

struct StreamingInputCallRequest: InteropMessage {
  var payload = Payload()
  var expectCompressed: BoolValue?

  mutating func take(_ number: Int, _ value: ProtobufReader.Value) throws {
    if number == 1 { payload = try Payload(value.slice) }
    if number == 2 { expectCompressed = try BoolValue(value.slice) }
  }

  func write(to writer: inout ProtobufWriter) {
    writer.addElement(1, payload.bytes)
    if let expectCompressed { writer.addElement(2, expectCompressed.bytes) }
  }
}

struct StreamingInputCallResponse: InteropMessage {
  var aggregatedPayloadSize: Int32 = 0

  mutating func take(_ number: Int, _ value: ProtobufReader.Value) {
    if number == 1 { aggregatedPayloadSize = value.int32 }
  }

  func write(to writer: inout ProtobufWriter) { writer.add(1, aggregatedPayloadSize) }
}

struct ResponseParameters: InteropMessage {
  var size: Int32 = 0
  var intervalMicroseconds: Int32 = 0
  var compressed: BoolValue?

  mutating func take(_ number: Int, _ value: ProtobufReader.Value) throws {
    if number == 1 { size = value.int32 }
    if number == 2 { intervalMicroseconds = value.int32 }
    if number == 3 { compressed = try BoolValue(value.slice) }
  }

  func write(to writer: inout ProtobufWriter) {
    writer.add(1, size)
    writer.add(2, intervalMicroseconds)
    if let compressed { writer.addElement(3, compressed.bytes) }
  }
}

struct StreamingOutputCallRequest: InteropMessage {
  var responseParameters: [ResponseParameters] = []
  var payload = Payload()
  var responseStatus: EchoStatus?

  mutating func take(_ number: Int, _ value: ProtobufReader.Value) throws {
    switch number {
    case 2: responseParameters.append(try ResponseParameters(value.slice))
    case 3: payload = try Payload(value.slice)
    case 7: responseStatus = try EchoStatus(value.slice)
    default: break
    }
  }

  func write(to writer: inout ProtobufWriter) {
    for parameters in responseParameters { writer.addElement(2, parameters.bytes) }
    writer.addElement(3, payload.bytes)
    if let responseStatus { writer.addElement(7, responseStatus.bytes) }
  }
}
