internal import CCares
internal import Glibc

/// One question to the resolver: what a host's name stands for.
///
/// By c-ares and not by libc, whose `getaddrinfo` loads plugins at run time, which a static program
/// cannot. It asks `/etc/hosts`, then the servers of `/etc/resolv.conf`; it needs neither.
/// Used by one thread, which waits in `run`.
@safe package struct NameLookup: ~Copyable {
  private let channel: ares_channel
  private let answer: Answer  // c-ares holds it unretained; the channel is destroyed before it

  /// Asks the system's name servers, or `servers`: `ADDRESS:PORT`, comma-separated.
  ///
  /// - Throws: `ARES_ENOMEM`, or `ARES_EBADSTR` for `servers` that are none.
  package init(servers: String? = nil) throws(LookupFailure) {
    guard Self.libraryStatus == 0 else { throw LookupFailure(code: Self.libraryStatus) }
    let answer = Answer()
    var options = unsafe ares_options()
    unsafe options.sock_state_cb_data = Unmanaged.passUnretained(answer).toOpaque()
    unsafe options.sock_state_cb = { user, socket, reads, writes in
      unsafe Answer.at(user).watch(socket, reads: reads != 0, writes: writes != 0)
    }
    var channel: ares_channel?
    let code = unsafe ares_init_options(&channel, &options, ARES_OPT_SOCK_STATE_CB)
    guard code == 0, let channel = unsafe channel else { throw LookupFailure(code: code) }
    if let servers, case let code = unsafe ares_set_servers_ports_csv(channel, servers), code != 0 {
      unsafe ares_destroy(channel)
      throw LookupFailure(code: code)
    }
    unsafe self.channel = channel
    self.answer = answer
  }

  deinit { unsafe ares_destroy(channel) }

  /// Once in the process, before any channel (ares_library_init(3)).
  private static let libraryStatus = ares_library_init(ARES_LIB_INIT_ALL)

  /// Asks for `host` and waits for the answer: a `sockaddr_in` or `sockaddr_in6` each, the nearest
  /// first (RFC 6724), with port 0.
  ///
  /// - Throws: what the resolver says, or `ARES_ECANCELLED` after `deadline`.
  package func run(
    _ host: String,
    until deadline: ContinuousClock.Instant
  ) throws(LookupFailure) -> [[UInt8]] {
    var hints = ares_addrinfo_hints()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    let user = unsafe Unmanaged.passUnretained(answer).toOpaque()
    // Without a service: that would be looked up in libc's databases.
    unsafe ares_getaddrinfo(
      channel,
      host,
      nil,
      &hints,
      { user, status, _, list in
        unsafe Answer.at(user).end(status, list)
      },
      user
    )
    while answer.status == nil {
      let left = deadline - .now
      guard left > .zero else {
        unsafe ares_cancel(channel)
        break
      }
      turn(atMost: left)
    }
    let status = answer.status ?? gh_ares_cancelled
    guard status == 0 else { throw LookupFailure(code: status) }
    return answer.addresses
  }

  /// Waits for the sockets, or for the time at which c-ares asks again, and lets it go on.
  private func turn(atMost limit: Duration) {
    var polled = answer.sockets.map { pollfd(fd: $0.key, events: $0.value, revents: 0) }
    let ready = unsafe poll(&polled, nfds_t(polled.count), milliseconds(atMost: limit))
    if ready <= 0 { return unsafe ares_process_fd(channel, gh_ares_no_socket, gh_ares_no_socket) }
    for entry in polled where entry.revents != 0 {
      let isReadable = entry.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0
      let isWritable = entry.revents & Int16(POLLOUT) != 0
      unsafe ares_process_fd(
        channel,
        isReadable ? entry.fd : gh_ares_no_socket,
        isWritable ? entry.fd : gh_ares_no_socket
      )
    }
  }

  private func milliseconds(atMost limit: Duration) -> Int32 {
    var limit = limit
    var next = timeval()
    if let next = unsafe ares_timeout(channel, nil, &next) {
      let (seconds, microseconds) = unsafe (next.pointee.tv_sec, next.pointee.tv_usec)
      limit = min(limit, .seconds(seconds) + .microseconds(microseconds))
    }
    // Rounded up, so that a wait does not end just before it has to.
    return Int32(min(limit / .milliseconds(1), 60_000)) + 1
  }

  /// What callbacks write to.
  private final class Answer {
    /// What poll(2) waits for, by socket.
    private(set) var sockets: [Int32: Int16] = [:]
    /// 0 or `ARES_E…`, once there is an answer.
    private(set) var status: Int32?
    private(set) var addresses: [[UInt8]] = []

    func watch(_ socket: Int32, reads: Bool, writes: Bool) {
      let events = Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0))
      sockets[socket] = events == 0 ? nil : events
    }

    func end(_ status: Int32, _ list: UnsafeMutablePointer<ares_addrinfo>?) {
      self.status = status
      guard let list = unsafe list else { return }
      defer { unsafe ares_freeaddrinfo(list) }
      var next = unsafe list.pointee.nodes
      while let node = unsafe next?.pointee {
        if let address = unsafe node.ai_addr {
          unsafe addresses.append(
            [UInt8](UnsafeRawBufferPointer(start: address, count: Int(node.ai_addrlen)))
          )
        }
        unsafe next = node.ai_next
      }
    }

    static func at(_ user: UnsafeMutableRawPointer?) -> Answer {
      guard let user = unsafe user else { preconditionFailure("callback without user data") }
      return unsafe Unmanaged.fromOpaque(user).takeUnretainedValue()
    }
  }
}

/// Why the resolver has no answer; `code` is one of `ARES_E…`.
package struct LookupFailure: Error, Equatable {
  package let code: Int32

  /// For people, with the remedy where there is one.
  package var reason: String {
    switch code {
    case gh_ares_connection_refused, gh_ares_timeout, gh_ares_cancelled:
      return """
        no name server answered; see /etc/resolv.conf, or put the name into /etc/hosts, or use an \
        address
        """
    case gh_ares_no_data: return "the name has no address"
    case gh_ares_not_found: return "there is no such name"
    default:
      guard let text = unsafe ares_strerror(code) else { return "error \(code)" }
      return unsafe String(cString: text)
    }
  }
}
