@testable internal import RPC

/// Messages come out the same, however the bytes are cut.
enum MessageInput {
  private static let maxBytes = 64 * 1024

  static func run(_ input: [UInt8]) {
    var reader = InputReader(input)
    let settings = reader.byte()
    let bytes = reader.remaining()
    let whole = assemble(bytes, pieces: bytes.count, takesGzip: settings & 1 == 1)
    let cut = assemble(bytes, pieces: 1 + Int(settings >> 1), takesGzip: settings & 1 == 1)
    require(whole == cut, "the messages depend on how they are cut")
  }

  struct Outcome: Equatable {
    var messages: [[UInt8]] = []
    var status: RPCStatus?
    var isPartial = false
  }

  private static func assemble(_ bytes: [UInt8], pieces: Int, takesGzip: Bool) -> Outcome {
    var assembler = MessageAssembler(maxBytes: maxBytes)
    assembler.takesGzip = takesGzip
    var outcome = Outcome()
    var wire = 0
    var rest = bytes[...]
    while !rest.isEmpty, outcome.status == nil {
      let piece = Array(rest.prefix(max(1, pieces)))
      rest = rest.dropFirst(piece.count)
      do {
        try assembler.append(piece.span) { message, wireBytes, isCompressed in
          require(message.count <= maxBytes, "a message above the limit")
          require(isCompressed || wireBytes == message.count + 5, "a wrong cost")
          wire += wireBytes
          outcome.messages.append(message)
        }
      } catch {
        outcome.status = error
      }
    }
    outcome.isPartial = assembler.isPartial
    if outcome.status == nil {
      require(wire + assembler.partialBytes == bytes.count, "bytes that are nobody's")
    }
    return outcome
  }
}
