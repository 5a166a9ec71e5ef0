import Testing

@testable import RPC

@Suite struct `Questions about what is served` {
  private static let reflection: Reflection? = {
    guard let pool = try? DescriptorPool(Samples.set) else { return nil }
    return Reflection(pool, services: ["a.S"])
  }()

  /// The field of the response's oneof, and what is in it.
  private func ask(_ number: Int, _ text: String) throws -> (number: Int, bytes: [UInt8]) {
    var request = ProtobufWriter()
    request.add(1, "host")
    request.addElement(number, Array(text.utf8))
    return try ask(request.bytes)
  }

  private func ask(_ request: [UInt8]) throws -> (number: Int, bytes: [UInt8]) {
    let answer = try #require(Self.reflection).answer(request)
    var reader = ProtobufReader(answer)
    var found: (Int, [UInt8]) = (0, [])
    while let (number, value) = try reader.next() {
      if number == 2 { #expect(Array(value.slice) == request) }
      if number > 2 { found = (number, Array(value.slice)) }
    }
    return found
  }

  private func elements(_ number: Int, of bytes: [UInt8]) throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      if field.number == number { found.append(Array(field.value.slice)) }
    }
    return found
  }

  @Test func `services are listed, reflection among them`() throws {
    let (number, bytes) = try ask(7, "")
    #expect(number == 6)
    let names = try elements(1, of: bytes).map {
      String(decoding: try elements(1, of: $0)[0], as: UTF8.self)
    }
    #expect(
      names == [
        "a.S", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
      ]
    )
  }

  @Test func `a file comes with all that it imports, each once`() throws {
    let (number, bytes) = try ask(3, "a.proto")
    #expect(number == 4)
    #expect(try elements(1, of: bytes) == [Samples.a, Samples.b])
  }

  @Test(arguments: ["a.M", "a.M.field", "a.M.Inner", "a.M.E", "a.M.VALUE", "a.S", "a.S.Call"])
  func `a symbol is found in its file`(symbol: String) throws {
    let (number, bytes) = try ask(4, symbol)
    #expect(number == 4)
    #expect(try elements(1, of: bytes).first == Samples.a)
  }

  @Test(arguments: [(3, "none.proto"), (4, "a.None"), (4, ""), (6, "a.None")])
  func `what is not there is NOT_FOUND, and the stream goes on`(kind: Int, name: String) throws {
    let (number, bytes) = try ask(kind, name)
    #expect(number == 7)
    var reader = ProtobufReader(bytes)
    #expect(try reader.next()?.value.int32 == 5)
  }

  @Test func `extensions are found by type and number`() throws {
    var question = ProtobufWriter()
    question.add(1, "a.M")
    question.add(2, 100)
    var request = ProtobufWriter()
    request.addElement(5, question.bytes)
    let (number, bytes) = try ask(request.bytes)
    #expect(number == 4)
    #expect(try elements(1, of: bytes) == [Samples.b, Samples.a])
    let numbers = try ask(6, "a.M")
    #expect(numbers.number == 5)
    #expect(numbers.bytes.suffix(2) == [2 << 3, 100])
  }

  @Test func `a request that asks nothing is told so`() throws {
    #expect(try ask([]).number == 7)
  }

  @Test(arguments: [[0xff], [0x1a, 5, 1], [0x1a, 1, 0xff], [0x1b]] as [[UInt8]])
  func `garbage is refused`(request: [UInt8]) throws {
    let reflection = try #require(Self.reflection)
    let error = #expect(throws: RPCStatus.self) { try reflection.answer(request) }
    #expect(error?.code == .internalError)
  }
}

/// Two files: `a.proto` imports `b.proto`, which extends a message of it.
private enum Samples {
  static let a = message {
    $0.add(1, "a.proto")
    $0.add(2, "a")
    $0.add(3, "b.proto")
    $0.addElement(4, m)
    $0.addElement(6, named("S") { $0.addElement(2, named("Call")) })
  }

  private static let m = named("M") {
    $0.addElement(2, named("field"))
    $0.addElement(3, named("Inner"))
    $0.addElement(4, named("E") { $0.addElement(2, named("VALUE")) })
  }

  static let b = message {
    $0.add(1, "b.proto")
    $0.add(3, "a.proto")  // a circle, which protoc refuses and we survive
    let field = named("extra") {
      $0.add(2, ".a.M")
      $0.add(3, 100)
    }
    $0.addElement(7, field)
  }

  static let set = message {
    $0.addElement(1, a)
    $0.addElement(1, b)
  }

  private static func message(_ build: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter()
    build(&writer)
    return writer.bytes
  }

  private static func named(
    _ name: String,
    _ build: (inout ProtobufWriter) -> Void = { _ in }
  ) -> [UInt8] {
    message {
      $0.add(1, name)
      build(&$0)
    }
  }
}
