/// A request without a body (RFC 9112).
package struct HTTP1Request: Sendable, Equatable {
  package let method: String
  /// The path, without the query.
  package let path: String
  /// Names in lower case, in the order they came.
  package let fields: [(name: String, value: String)]

  /// The value of the only field of this name.
  package func field(_ name: String) -> String? {
    fields.first { $0.name == name }?.value
  }

  package static func == (one: HTTP1Request, other: HTTP1Request) -> Bool {
    one.method == other.method && one.path == other.path
      && one.fields.elementsEqual(other.fields, by: ==)
  }
}

/// Why a request cannot be understood; `status` is what to answer before closing.
package enum HTTP1Error: Error, Sendable, Equatable {
  case badRequest(String)
  case headTooLarge
  case bodyRefused
  case versionNotSupported

  package var status: HTTP1Response.Status {
    switch self {
    case .badRequest: .badRequest
    case .headTooLarge: .headTooLarge
    case .bodyRefused: .contentTooLarge
    case .versionNotSupported: .versionNotSupported
    }
  }
}

/// Reads one request's head from bytes as they come.
///
/// Strict where peers could disagree on where a message ends: lines end with CR LF, names have no
/// spaces, a field is one line, and a request with a body is refused.
package struct HTTP1RequestParser: Sendable {
  /// Most bytes from the request line to the empty line.
  package static let maxHeadBytes = 8 << 10
  private static let maxFields = 64

  private var head: [UInt8] = []
  private var hasPassedEmptyLine = false

  package init() {}

  /// Takes some bytes; gives the request once its head is whole. Bytes after that are not looked
  /// at: the connection closes after one answer.
  package mutating func receive(_ bytes: Span<UInt8>) throws(HTTP1Error) -> HTTP1Request? {
    for index in bytes.indices {
      guard head.count < Self.maxHeadBytes else { throw .headTooLarge }
      // Its sender would wait for an answer, and we for the end of its head.
      guard bytes[index] != 10 || head.last == 13 else { throw .badRequest("a line without CR") }
      head.append(bytes[index])
      // RFC 9112 §2.2: an empty line before the request is left out, by clients that end a body with one.
      if head.count == 2, head.elementsEqual([13, 10]) {
        guard !hasPassedEmptyLine else { throw .badRequest("empty request") }
        head = []
        hasPassedEmptyLine = true
      }
      if head.suffix(4).elementsEqual([13, 10, 13, 10]) { return try request() }
    }
    return nil
  }

  private func request() throws(HTTP1Error) -> HTTP1Request {
    var lines = try lines()[...]
    guard let start = lines.popFirst() else { throw .badRequest("empty request") }
    let parts = start.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(Self.isToken) else {
      throw .badRequest("malformed request line")
    }
    try checkVersion(parts[2])
    let fields = try fields(lines)
    try checkHost(fields, isNeeded: Self.text(parts[2]) == "HTTP/1.1")
    try checkBody(fields)
    return HTTP1Request(method: Self.text(parts[0]), path: try path(of: parts[1]), fields: fields)
  }

  /// Of a target in origin-form or absolute-form (RFC 9112 §3.2).
  private func path(of target: ArraySlice<UInt8>) throws(HTTP1Error) -> String {
    var path = target
    let scheme = Array("http://".utf8)
    if Self.text(target.prefix(scheme.count)).lowercased().utf8.elementsEqual(scheme) {
      let authority = target.dropFirst(scheme.count)
      let ends = [UInt8(ascii: "/"), UInt8(ascii: "?")]
      path = authority.drop { !ends.contains($0) }
      guard path.startIndex > authority.startIndex else { throw .badRequest("malformed target") }
      if path.first != ends[0] { path = [ends[0]] }  // none is the root's
    }
    guard path.first == UInt8(ascii: "/"), path.allSatisfy({ (0x21...0x7e).contains($0) })
    else { throw .badRequest("malformed target") }
    return Self.text(path.prefix { $0 != UInt8(ascii: "?") })
  }

  /// The lines without their CR LF and without the empty one at the end.
  private func lines() throws(HTTP1Error) -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    var start = 0
    for index in head.indices where head[index] == 10 {
      lines.append(head[start..<index - 1])
      start = index + 1
    }
    guard lines.allSatisfy({ !$0.contains(13) && !$0.contains(0) }) else {
      throw .badRequest("a CR or NUL in a line")
    }
    return lines.dropLast()
  }

  private func checkVersion(_ version: ArraySlice<UInt8>) throws(HTTP1Error) {
    guard version.starts(with: "HTTP/".utf8) else { throw .badRequest("malformed version") }
    guard ["HTTP/1.1", "HTTP/1.0"].contains(Self.text(version)) else { throw .versionNotSupported }
  }

  private func fields(
    _ lines: ArraySlice<ArraySlice<UInt8>>
  ) throws(HTTP1Error) -> [(name: String, value: String)] {
    guard lines.count <= Self.maxFields else { throw .headTooLarge }
    var fields: [(name: String, value: String)] = []
    for line in lines {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
        throw .badRequest("a field without a colon")
      }
      let name = line[..<colon]
      guard !name.isEmpty, name.allSatisfy(Self.isToken) else {
        throw .badRequest("malformed field name")
      }
      fields.append((Self.text(name).lowercased(), Self.text(Self.trimmed(line[(colon + 1)...]))))
    }
    return fields
  }

  /// RFC 9112 §3.2.
  private func checkHost(
    _ fields: [(name: String, value: String)],
    isNeeded: Bool
  ) throws(HTTP1Error) {
    let hosts = fields.count { $0.name == "host" }
    guard hosts <= 1 else { throw .badRequest("two hosts") }
    guard hosts == 1 || !isNeeded else { throw .badRequest("no host field") }
  }

  private func checkBody(_ fields: [(name: String, value: String)]) throws(HTTP1Error) {
    for field in fields {
      switch field.name {
      case "transfer-encoding": throw .bodyRefused
      case "content-length" where field.value != "0": throw .bodyRefused
      default: break
      }
    }
  }

  private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    var value = value.drop(while: isBlank)
    while let last = value.last, isBlank(last) { value.removeLast() }
    return value
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  /// RFC 9110 §5.6.2.
  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}
