import Dispatch
import Glibc
import Synchronization

/// An HTTP/1.1 server on loopback that gives each connection the next of its replies.
@safe final class ScriptedServer: Sendable {
  /// What one connection gets, whatever it asks.
  struct Reply: Sendable {
    var bytes: [UInt8]
    /// Stays open until the client leaves.
    var holds = false

    init(_ text: String, holds: Bool = false) {
      bytes = Array(text.utf8)
      self.holds = holds
    }

    static func status(_ line: String, headers: String = "", body: String = "") -> Reply {
      Reply("HTTP/1.1 \(line)\r\n\(headers)Connection: close\r\n\r\n\(body)")
    }

    /// A stream of events with that data, ended by closing.
    static func events(_ data: String..., holds: Bool = false) -> Reply {
      let body = data.map { "data: \($0)\n\n" }.joined()
      return Reply(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\(body)",
        holds: holds
      )
    }
  }

  let port: UInt16
  private let listener: Int32
  private let state: Mutex<State>
  private let departures = AsyncStream<Void>.makeStream()

  init(_ replies: Reply...) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    state = Mutex(State(replies: replies))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(listener, pointer, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, pointer, &length) == 0
      }
    }
    guard isBound else { throw SocketError(code: errno) }
    port = UInt16(bigEndian: address.sin_port)
    DispatchQueue.global().async { [self] in serve() }
  }

  struct SocketError: Error { let code: Int32 }

  var url: String { "http://127.0.0.1:\(port)/v1" }

  /// What the clients sent, head and body.
  var requests: [String] { state.withLock { $0.requests } }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  /// Waits for a client to leave a reply that holds.
  func clientLeft() async {
    for await _ in departures.stream { return }
  }

  private func serve() {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0, let reply = state.withLock({ $0.next() }) else { break }
      DispatchQueue.global().async { [self] in answer(connection, reply) }
    }
    close(listener)
  }

  private func answer(_ connection: Int32, _ reply: Reply) {
    let request = readRequest(connection)
    state.withLock { $0.requests.append(request) }
    var rest = reply.bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { break }
      rest = rest.dropFirst(count)
    }
    if reply.holds {
      while !receive(connection).isEmpty {}
      departures.continuation.yield()
    }
    close(connection)
  }

  private func readRequest(_ connection: Int32) -> String {
    var text = ""
    while !Self.isWhole(text) {
      let bytes = receive(connection)
      guard !bytes.isEmpty else { break }
      text += String(decoding: bytes, as: UTF8.self)
    }
    return text
  }

  private func receive(_ connection: Int32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = unsafe recv(connection, &bytes, bytes.count, 0)
    return Array(bytes.prefix(max(0, count)))
  }

  private static func isWhole(_ text: String) -> Bool {
    guard let end = text.firstRange(of: "\r\n\r\n") else { return false }
    let length = text[..<end.lowerBound].split(whereSeparator: \.isNewline)
      .first { $0.lowercased().hasPrefix("content-length:") }?
      .split(separator: " ").last.flatMap { Int($0) }
    return text[end.upperBound...].utf8.count >= length ?? 0
  }

  private struct State {
    var replies: [Reply]
    var requests: [String] = []

    mutating func next() -> Reply? { replies.isEmpty ? nil : replies.removeFirst() }
  }
}
