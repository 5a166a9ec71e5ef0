internal import CLinux
package import EventLoop

/// One end of a local connection that keeps message borders and can pass descriptors on.
package final class ControlSocket: Sendable {
  package let descriptor: Descriptor

  package init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

  /// The largest message, in bytes.
  package static let maxMessageBytes = 4_096

  private static let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)

  /// Two connected ends.
  package struct Pair: Sendable {
    package let ours: ControlSocket
    package let theirs: ControlSocket

    package init() throws(SystemError) {
      var ends: [Int32] = [-1, -1]
      let code = unsafe ends.withUnsafeMutableBufferPointer {
        unsafe socketpair(AF_UNIX, ControlSocket.kind, 0, $0.baseAddress)
      }
      guard code == 0 else { throw SystemError("make a control socket") }
      ours = ControlSocket(owning: Descriptor(owning: ends[0]))
      theirs = ControlSocket(owning: Descriptor(owning: ends[1]))
    }
  }

  /// A listening end with a name in `folder`.
  package static func listening(
    in folder: borrowing StateFolder,
    named name: String
  ) throws(SystemError) -> Descriptor {
    let number = socket(AF_UNIX, kind, 0)
    guard number >= 0 else { throw SystemError("make a control socket") }
    let descriptor = Descriptor(owning: number)
    let code = unsafe withAddress(folder, name) { address, size in
      unsafe bind(number, address, size)
    }
    guard code == 0, listen(number, 4) == 0 else {
      throw SystemError("listen on the control socket '\(name)'")
    }
    return descriptor
  }

  /// Nothing here waits, later either.
  ///
  /// - Throws: what `isNobodyThere` is true of when nobody listens; `EAGAIN` when too many connect.
  package static func connecting(
    in folder: borrowing StateFolder,
    named name: String
  ) throws(SystemError) -> ControlSocket {
    let number = socket(AF_UNIX, kind, 0)
    guard number >= 0 else { throw SystemError("make a control socket") }
    let descriptor = Descriptor(owning: number)
    // With a full backlog it would wait, and a command can fill it.
    try descriptor.setNonBlocking()
    let code = unsafe withAddress(folder, name) { address, size in
      unsafe connect(number, address, size)
    }
    guard code == 0 else { throw SystemError("connect to the control socket '\(name)'") }
    return ControlSocket(owning: descriptor)
  }

  /// The next connection to a listening end.
  package static func accept(on listener: borrowing Descriptor) throws(SystemError) -> ControlSocket
  {
    let number = gh_accept_control(listener.number)
    guard number >= 0 else { throw SystemError("accept on a control socket") }
    return ControlSocket(owning: Descriptor(owning: number))
  }

  /// The folder's path may be longer than a socket's address, its descriptor's never is.
  private static func withAddress(
    _ folder: borrowing StateFolder,
    _ name: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = unsafe gh_local_address("/proc/self/fd/\(folder.number)/\(name)")
    return unsafe withUnsafePointer(to: &address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// Sends one message, of 1 byte to `maxMessageBytes`, with up to four descriptors.
  ///
  /// - Throws: `EPIPE` when the other end is closed; `EAGAIN` when it does not read.
  package func send(_ message: [UInt8], passing descriptors: [Int32] = []) throws(SystemError) {
    precondition(!message.isEmpty && message.count <= Self.maxMessageBytes)
    precondition(descriptors.count <= Int(GH_MAX_PASSED))
    while true {
      let count = unsafe message.withUnsafeBytes { bytes in
        unsafe descriptors.withUnsafeBufferPointer { descriptors in
          unsafe gh_send(
            descriptor.number,
            bytes.baseAddress,
            bytes.count,
            descriptors.baseAddress,
            Int32(descriptors.count)
          )
        }
      }
      if count >= 0 { return }
      guard gh_errno() == EINTR else { throw SystemError("send on a control socket") }
    }
  }

  /// What came on the socket.
  package struct Received: Sendable {
    /// Empty: the other end is closed.
    package let message: [UInt8]
    package let descriptors: [SharedDescriptor]
  }

  /// The next message. Waits for it, unless the descriptor is non-blocking.
  ///
  /// - Throws: `EAGAIN` when it is, and there is none.
  package func receive() throws(SystemError) -> Received {
    var message = [UInt8](repeating: 0, count: Self.maxMessageBytes)
    var numbers = [Int32](repeating: -1, count: Int(GH_MAX_PASSED))
    var passed: Int32 = 0
    while true {
      let count = unsafe message.withUnsafeMutableBytes { bytes in
        unsafe numbers.withUnsafeMutableBufferPointer { numbers in
          unsafe gh_receive(
            descriptor.number,
            bytes.baseAddress,
            bytes.count,
            numbers.baseAddress,
            &passed
          )
        }
      }
      let code = gh_errno()
      if count < 0, code == EINTR { continue }
      // A peer that was killed leaves a reset when it had not read all.
      guard count >= 0 || code == ECONNRESET else {
        throw SystemError("receive on a control socket", code: code)
      }
      message.removeLast(message.count - max(0, count))
      let descriptors = numbers.prefix(Int(passed)).map { SharedDescriptor(Descriptor(owning: $0)) }
      return Received(message: message, descriptors: descriptors)
    }
  }
}

extension SystemError {
  /// Who listened on a control socket is gone, or was never there.
  package var isNobodyThere: Bool {
    [ECONNREFUSED, ENOENT, EPIPE, ECONNRESET].contains(code)
  }
}
