internal import CLinux
internal import Names

/// An IPv4 or IPv6 address with a port, as the kernel takes it.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
  /// A `sockaddr_in` or `sockaddr_in6`.
  let bytes: [UInt8]

  /// What a name stands for, the nearest first (RFC 6724). Blocks, at most for `limit`: not for a
  /// loop's thread.
  ///
  /// `host` is a name, an IPv4 address, or an IPv6 address without brackets; with port 0 a listener
  /// takes a free one.
  package static func resolve(
    _ host: String,
    port: UInt16,
    within limit: Duration = .seconds(10)
  ) throws(ResolutionError) -> [SocketAddress] {
    try resolve(host, port: port, until: .now + limit, servers: nil)
  }

  /// The same, asking `servers` if given; see `NameLookup`.
  static func resolve(
    _ host: String,
    port: UInt16,
    until deadline: ContinuousClock.Instant,
    servers: String?
  ) throws(ResolutionError) -> [SocketAddress] {
    if let address = SocketAddress(numeric: host, port: port) { return [address] }
    // RFC 1035 §2.3.4; and what C would cut at a NUL is no name.
    guard (1...253).contains(host.utf8.count), !host.utf8.contains(0) else {
      throw ResolutionError(host: host, reason: "this is no host name")
    }
    do {
      let found = try NameLookup(servers: servers).run(host, until: deadline)
      return found.map { SocketAddress($0, port: port) }
    } catch {
      if isLoopback(host) { return loopback.map { SocketAddress($0.bytes, port: port) } }
      throw ResolutionError(host: host, reason: error.reason)
    }
  }

  /// Names of this machine, whoever else says what (RFC 6761 §6.3).
  fileprivate static func isLoopback(_ host: String) -> Bool {
    let name = host.lowercased()
    return name == "localhost" || name.hasSuffix(".localhost")
  }

  private static var loopback: [SocketAddress] {
    ["127.0.0.1", "::1"].compactMap { SocketAddress(numeric: $0, port: 0) }
  }

  /// An address as people write it: `127.0.0.1`, `::1`, `fe80::1%eth0`; `nil` for a name. Asks nobody.
  package init?(numeric host: String, port: UInt16) {
    let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    var v4 = sockaddr_in()
    var v6 = sockaddr_in6()
    if parts.count == 1, unsafe inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
      v4.sin_family = sa_family_t(AF_INET)
      self.init(unsafe withUnsafeBytes(of: &v4) { unsafe Array($0) }, port: port)
    } else if unsafe inet_pton(AF_INET6, String(parts[0]), &v6.sin6_addr) == 1 {
      v6.sin6_family = sa_family_t(AF_INET6)
      if parts.count == 2 {
        v6.sin6_scope_id = unsafe if_nametoindex(String(parts[1]))
        guard v6.sin6_scope_id != 0 else { return nil }
      }
      self.init(unsafe withUnsafeBytes(of: &v6) { unsafe Array($0) }, port: port)
    } else {
      return nil
    }
  }

  /// As the kernel gave it.
  init(bytes: [UInt8]) { self.bytes = bytes }

  /// A `sockaddr_in` or `sockaddr_in6`, with another port; it stands in the same place in both.
  private init(_ bytes: [UInt8], port: UInt16) {
    var bytes = bytes
    bytes[2] = UInt8(port >> 8)
    bytes[3] = UInt8(port & 0xff)
    self.bytes = bytes
  }

  var family: Int32 {
    unsafe bytes.withUnsafeBytes { unsafe Int32($0.loadUnaligned(as: sa_family_t.self)) }
  }

  package var port: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

  /// The address alone: `127.0.0.1`, `::1`.
  package var host: String {
    var name = [CChar](repeating: 0, count: 64)
    let isV6 = family == AF_INET6
    let start = isV6 ? 8 : 4
    unsafe bytes.withUnsafeBytes { raw in
      let source = unsafe UnsafeRawBufferPointer(rebasing: raw[start...]).baseAddress
      _ = unsafe inet_ntop(family, source, &name, socklen_t(name.count))
    }
    return String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) },
      as: UTF8.self
    )
  }

  /// What bounds for one address go by: of IPv6 the first 64 bits, since whoever has one address there
  /// has as many as there are below them.
  package var network: String {
    guard family == AF_INET6 else { return host }
    var network = bytes
    for index in 16..<24 { network[index] = 0 }  // the second half of `sin6_addr`
    return SocketAddress(bytes: network).host + "/64"
  }

  package var description: String {
    family == AF_INET6 ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

/// A name that could not be turned into an address.
package struct ResolutionError: Error, Equatable, CustomStringConvertible {
  package let host: String
  package let reason: String

  package var description: String { "no address for '\(host)': \(reason)" }
}

/// `HOST:PORT` as people write it: a name or IPv4 address, or an IPv6 address in brackets.
package struct HostPort: Sendable, Hashable, CustomStringConvertible {
  package let host: String
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// `nil` when `text` is not of that form.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty else { return nil }
    self.init(host: String(host), port: port)
  }

  /// Only this machine reaches it: 127.0.0.0/8, `::1`, and names that say so (RFC 6761 §6.3).
  package var isLoopback: Bool {
    guard let numeric = SocketAddress(numeric: host, port: port) else {
      return SocketAddress.isLoopback(host)
    }
    return numeric.description.hasPrefix("127.") || numeric.description.hasPrefix("[::1]")
  }

  package var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
