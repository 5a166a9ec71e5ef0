internal import CLinux
internal import Glibc

/// What the plane's process asks of the kernel about itself.
package enum ThisProcess {
  /// Keeps other processes of the account from reading its memory, and cores from being written:
  /// the plane holds keys.
  package static func makeNonDumpable() throws(HostError) {
    guard gh_set_dumpable(0) == 0 else { throw HostError(failed: "cannot become non-dumpable") }
  }

  /// The absolute path of a program installed beside this one.
  package static func sibling(_ name: String) throws(HostError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { throw HostError(failed: "cannot read the program's own path") }
    let own = String(
      decoding: buffer[..<count].map { UInt8(truncatingIfNeeded: $0) },
      as: UTF8.self
    )
    return own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/\(name)"
  }

  package static var id: Int32 { getpid() }

  /// Whole seconds since 1970.
  package static var unixTime: Int64 { Int64(time(nil)) }

  /// Writes to stdout at once.
  package static func say(_ text: String) throws(HostError) {
    try OpenFile(number: STDOUT_FILENO, path: "stdout").writeAll(Array(text.utf8))
  }

  /// The account's variable, or nil when it is not set.
  package static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// Whether there is a folder at an absolute path, or a link to one.
  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return false }
    return status.st_mode & S_IFMT == S_IFDIR
  }

  /// Microseconds since 1970.
  package static var unixMicroseconds: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
  }

  /// Milliseconds since 1970.
  package static var unixMilliseconds: UInt64 {
    unixMicroseconds / 1_000
  }
}
