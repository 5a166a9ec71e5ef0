internal import CLinux

/// A non-blocking TCP socket.
package struct Socket: ~Copyable, Sendable {
  private let descriptor: Descriptor

  package init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

  package var number: Int32 { descriptor.number }

  /// What a read or write came to.
  package enum Transfer: Equatable, Sendable {
    case bytes(Int)
    /// The kernel has no bytes, or no room: wait for readiness.
    case wouldBlock
    /// Reading only: the peer sent its last byte.
    case end
  }

  /// Begins to connect; the socket becomes writable when that is decided. See `connectError`.
  package static func connecting(to address: SocketAddress) throws(SystemError) -> Socket {
    let socket = try Socket.make(address.family)
    let code = unsafe address.bytes.withUnsafeBytes { bytes in
      unsafe connect(
        socket.number,
        bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(bytes.count)
      )
    }
    guard code == 0 || gh_errno() == EINPROGRESS else {
      throw SystemError("connect to \(address)")
    }
    return socket
  }

  /// A listening socket. Port 0 takes a free one; see `localAddress`.
  package static func listening(on address: SocketAddress) throws(SystemError) -> Socket {
    let socket = try Socket.make(address.family)
    socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
    if address.family == AF_INET6 { socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    let code = unsafe address.bytes.withUnsafeBytes { bytes in
      unsafe bind(
        socket.number,
        bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(bytes.count)
      )
    }
    guard code == 0, listen(socket.number, 1_024) == 0 else {
      throw SystemError("listen on \(address)")
    }
    return socket
  }

  private static func make(_ family: Int32) throws(SystemError) -> Socket {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let number = socket(family, kind, 0)
    guard number >= 0 else { throw SystemError("make a socket") }
    return Socket(owning: Descriptor(owning: number))
  }

  /// The next connection, or `nil` when there is none now.
  ///
  /// - Throws: `EMFILE`, `ENFILE` and the like: stop accepting for a while.
  package func accept() throws(SystemError) -> Socket? {
    while true {
      let number = gh_accept(self.number)
      if number >= 0 { return Socket(owning: Descriptor(owning: number)) }
      switch gh_errno() {
      case EAGAIN: return nil
      // The connection was gone before it was taken: see accept(2), "Error handling".
      case EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH: continue
      default: throw SystemError("accept a connection")
      }
    }
  }

  /// The reason a connection attempt failed, or `nil` when it is up.
  package var connectError: SystemError? {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else {
      return SystemError("read a socket's state")
    }
    return code == 0 ? nil : SystemError("connect", code: code)
  }

  /// Small frames leave at once; a dead peer is noticed by our own pings.
  package func setNoDelay() { set(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

  private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    _ = unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Reads into the front of `buffer`, which keeps its size.
  package func read(
    into buffer: inout [UInt8],
    atMost limit: Int
  ) throws(SystemError) -> Transfer {
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe recv(number, $0.baseAddress, min($0.count, limit), 0)
      }
      if count > 0 { return .bytes(count) }
      if count == 0 { return .end }
      switch gh_errno() {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      default: throw SystemError("read from a connection")
      }
    }
  }

  package func write(_ bytes: Span<UInt8>) throws(SystemError) -> Transfer {
    while true {
      let count = unsafe bytes.withUnsafeBufferPointer {
        unsafe send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count >= 0 { return .bytes(count) }
      switch gh_errno() {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      default: throw SystemError("write to a connection")
      }
    }
  }

  /// Says that no more bytes come from us; the other direction goes on.
  package func closeWriting() { _ = shutdown(number, Int32(SHUT_WR)) }

  /// Ends both directions; the descriptor is closed with its owner.
  package func shutDown() { _ = shutdown(number, Int32(SHUT_RDWR)) }

  package var localAddress: SocketAddress? { unsafe address(getsockname) }

  package var peerAddress: SocketAddress? { unsafe address(getpeername) }

  private func address(
    _ ask: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
  ) -> SocketAddress? {
    var bytes = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
    var size = socklen_t(bytes.count)
    let code = unsafe bytes.withUnsafeMutableBytes {
      unsafe ask(number, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
    }
    return code == 0 ? SocketAddress(bytes: Array(bytes.prefix(Int(size)))) : nil
  }
}
