internal import Compression
internal import HTTP2

// Compressed messages (gRPC over HTTP/2, "Message-Encoding"; grpc/doc/compression.md): gzip, both
// ways, only where `ConnectionLimits.acceptsGzip` is set, and sent only by those who ask for it.

extension StreamTable {
  /// The peer's `grpc-encoding` is known: whether its compressed messages can be read.
  ///
  /// Runs before the first message is taken apart, which may come in the same packet.
  func accept(_ encoding: [UInt8], on state: StreamState) {
    switch String(decoding: encoding, as: UTF8.self) {
    case "identity": break
    case "gzip" where acceptsGzip: state.assembler.takesGzip = true
    case let name:
      // compression.md: the server's fault at a client, a missing feature at a server.
      var status = RPCStatus(
        isServer ? .unimplemented : .internalError,
        "messages encoded with '\(name)' cannot be read; send \(accepted)"
      )
      if isServer { status.trailers.add("grpc-accept-encoding", accepted) }
      events.append(.failed(state, status))
    }
  }

  private var accepted: String { acceptsGzip ? "identity,gzip" : "identity" }

  /// A message of `bytes` came out of a compressed one. The window bounds what is on the wire only,
  /// so there is a bound here on what the handler has not taken.
  ///
  /// - Returns: false when this is one too many, and the call has failed.
  func takeInflated(_ bytes: Int, on state: StreamState) -> Bool {
    guard state.inflate(bytes) <= Self.messagesInflated * maxMessageBytes else {
      reached(.inflatedBytes)
      let text = "compressed messages come faster than they are taken; send fewer at once"
      events.append(.failed(state, RPCStatus(.resourceExhausted, text)))
      return false
    }
    events.append(.compressed(state))
    return true
  }

  /// Messages of full size that may wait inflated on one stream.
  private static let messagesInflated = 4
}

extension MessageAssembler {
  /// A message whose flag was set.
  func inflate(_ message: [UInt8]) throws(RPCStatus) -> [UInt8] {
    do throws(Gzip.Failure) {
      return try Gzip.decompress(message, maxBytes: maxBytes)
    } catch {
      switch error {
      case .tooLarge:
        throw RPCStatus(
          .resourceExhausted,
          "a compressed message holds more than the limit of \(maxBytes) bytes"
        )
      case .malformed: throw RPCStatus(.internalError, "a compressed message is no gzip")
      case .noMemory: throw RPCStatus(.resourceExhausted, "no memory to decompress a message")
      }
    }
  }
}

extension IncomingFields {
  /// Whether a list such as `identity, deflate, gzip` names gzip.
  static func namesGzip(_ list: Span<UInt8>) -> Bool {
    [UInt8](copying: list).split(separator: UInt8(ascii: ",")).contains { name in
      name.filter { $0 != UInt8(ascii: " ") }.elementsEqual("gzip".utf8)
    }
  }
}

extension Connection {
  /// From now on `sendCompressed` compresses, if the client takes that. Before the metadata.
  func useGzip(on id: Int32) {
    guard let state = table.state(id), !state.sentHeaders else { return }
    state.gzips = limits.acceptsGzip && state.fields.acceptsGzip
  }

  /// Sends a message with its flag set, or as it is where nothing was agreed.
  func sendCompressed(_ message: [UInt8], on id: Int32) {
    guard let state = table.state(id), state.gzips, let gzip = try? Gzip.compress(message) else {
      return send(message, on: id)
    }
    state.markNextCompressed()
    send(gzip, on: id)
  }

  func announceCompressed(to state: StreamState) {
    switch state.handler {
    case .server(let handler, let call): handler.receivedCompressed(on: call)
    case .client(let handler, let call): handler.receivedCompressed(on: call)
    case nil: break
    }
  }
}

extension ServerCall {
  /// Lets `sendCompressed` compress, if the client said that it reads gzip. Before the metadata.
  package func useGzip() { connection.onLoop { $0.useGzip(on: id) } }

  /// As `send`, compressed where that was agreed.
  package func sendCompressed(_ message: [UInt8]) {
    connection.onLoop { $0.sendCompressed(message, on: id) }
  }
}

extension ClientCall {
  /// As `send`, compressed if the call was opened so.
  package func sendCompressed(_ message: [UInt8]) {
    connection.onLoop { $0.sendCompressed(message, on: id) }
  }
}
