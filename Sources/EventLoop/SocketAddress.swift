internal import CLinux

/// An IPv4 or IPv6 address with a port, as the kernel takes it.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
  /// A `sockaddr_in` or `sockaddr_in6`.
  let bytes: [UInt8]

  /// What a name stands for, in the resolver's order. Blocks: not for a loop's thread.
  ///
  /// `host` is a name, an IPv4 address, or an IPv6 address without brackets; with port 0 a listener
  /// takes a free one.
  package static func resolve(
    _ host: String,
    port: UInt16
  ) throws(ResolutionError) -> [SocketAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else {
      throw unsafe ResolutionError(host: host, reason: String(cString: gai_strerror(code)))
    }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var next = unsafe list
    while let info = unsafe next?.pointee {
      if let address = unsafe info.ai_addr {
        unsafe addresses.append(
          SocketAddress(
            bytes: [UInt8](UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))
          )
        )
      }
      unsafe next = info.ai_next
    }
    return addresses
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
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
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

  package var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
