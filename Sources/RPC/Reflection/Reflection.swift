/// Answers questions about what is served (grpc/doc/server-reflection.md); bytes in, bytes out. The
/// messages of v1 and v1alpha are the same.
package struct Reflection: Sendable {
  private let pool: DescriptorPool
  private let services: [String]

  /// - Parameters:
  ///   - pool: the files of what is served.
  ///   - services: full names, as they are listed; ours are added.
  package init(_ pool: DescriptorPool, services: some Sequence<String>) {
    self.pool = pool
    self.services = Set(services).union(Self.names).sorted()
  }

  private static let names = [
    "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
  ]

  package var service: Service {
    var service = Service()
    for name in Self.names {
      service.handle("/\(name)/ServerReflectionInfo") { _ in ReflectionHandler(self) }
    }
    return service
  }

  /// A `ServerReflectionResponse` to a `ServerReflectionRequest`.
  ///
  /// - Throws: `INVALID_ARGUMENT`
  func answer(_ request: [UInt8]) throws(RPCStatus) -> [UInt8] {
    do throws(ProtobufReader.Malformed) {
      var response = ProtobufWriter()
      var host = ""
      var question: (number: Int, value: ProtobufReader.Value)?
      var reader = ProtobufReader(request)
      while let field = try reader.next() {
        if field.number == 1 { host = try field.value.string }
        // Of a oneof the last one counts.
        if (3...7).contains(field.number) { question = field }
      }
      response.add(1, host)
      response.addElement(2, request)
      let (number, answer) = try answer(to: question)
      response.addElement(number, answer)
      return response.bytes
    } catch {
      throw RPCStatus(.internalError, "the request is no ServerReflectionRequest")
    }
  }

  /// The field of the response's oneof, and what is in it.
  private func answer(
    to question: (number: Int, value: ProtobufReader.Value)?
  ) throws(ProtobufReader.Malformed) -> (number: Int, [UInt8]) {
    switch question?.number {
    case 3:
      let name = try question?.value.string ?? ""
      return files(pool.file(named: name), orNo: "file '\(name)'")
    case 4:
      let symbol = try question?.value.string ?? ""
      return files(pool.file(defining: symbol), orNo: "symbol '\(symbol)'")
    case 5:
      let (type, number) = try Self.extensionRequest(question?.value.slice ?? [])
      return files(pool.file(extending: type, by: number), orNo: "extension \(number) of '\(type)'")
    case 6: return numbers(of: try question?.value.string ?? "")
    case 7:
      var list = ProtobufWriter()
      for name in services {
        var service = ProtobufWriter()
        service.add(1, name)
        list.addElement(1, service.bytes)
      }
      return (6, list.bytes)
    default: return error(.invalidArgument, "the request asks nothing that is known")
    }
  }

  private static func extensionRequest(
    _ bytes: ArraySlice<UInt8>
  ) throws(ProtobufReader.Malformed) -> (type: String, number: Int32) {
    var (type, number): (String, Int32) = ("", 0)
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      if field.number == 1 { type = try field.value.string }
      if field.number == 2 { number = field.value.int32 }
    }
    return (type, number)
  }

  private func files(_ found: [[UInt8]]?, orNo thing: String) -> (number: Int, [UInt8]) {
    guard let found else { return error(.notFound, "there is no \(thing)") }
    var response = ProtobufWriter()
    for file in found { response.addElement(1, file) }
    return (4, response.bytes)
  }

  private func numbers(of type: String) -> (number: Int, [UInt8]) {
    guard let found = pool.extensionNumbers(of: type) else {
      return error(.notFound, "there is no type '\(type)'")
    }
    var response = ProtobufWriter()
    response.add(1, type)
    for number in found { response.add(2, number) }
    return (5, response.bytes)
  }

  private func error(_ code: RPCStatus.Code, _ text: String) -> (number: Int, [UInt8]) {
    var response = ProtobufWriter()
    response.add(1, Int32(code.rawValue))
    response.add(2, text)
    return (7, response.bytes)
  }
}

/// One stream of questions. Few bytes ask for many, so no more are answered than are being read.
private final class ReflectionHandler: ServerHandler {
  private let reflection: Reflection
  private var waiting: [(request: [UInt8], credit: Int)] = []
  private var head = 0  // those before it are answered
  private var inputEnded = false
  private var isDone = false

  /// Bytes of answers that may wait to be sent.
  private static let maxQueuedBytes = 256 * 1_024
  private static let answersAtOnce = 64

  init(_ reflection: Reflection) { self.reflection = reflection }

  func received(_ message: [UInt8], credit: Int, on call: ServerCall) {
    waiting.append((message, credit))
    go(call)
  }

  func halfClosed(_ call: ServerCall) {
    inputEnded = true
    go(call)
  }

  func drained(_ call: ServerCall) { go(call) }

  func ended(_ status: RPCStatus, _ call: ServerCall) { isDone = true }

  private func go(_ call: ServerCall) {
    var answers = 0
    while !isDone, head < waiting.count {
      // The rest comes as an event of its own, so that others' calls are not held up.
      guard answers < Self.answersAtOnce, call.queuedBytes < Self.maxQueuedBytes
      else { return call.notifyWhenDrained() }
      answers += 1
      let (request, credit) = waiting[head]
      advance()
      call.credit(credit)
      do throws(RPCStatus) {
        call.send(try reflection.answer(request))
      } catch {
        isDone = true
        call.finish(error)
      }
    }
    if inputEnded, !isDone {
      isDone = true
      call.finish(.ok)
    }
  }

  private func advance() {
    waiting[head].request = []
    head += 1
    // Amortised: each moves at most once.
    guard head == waiting.count || head > 64 && head * 2 > waiting.count else { return }
    waiting.removeFirst(head)
    head = 0
  }
}
