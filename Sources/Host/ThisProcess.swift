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
    let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/\(name)"
  }

  /// Whole seconds since 1970.
  package static var unixTime: Int64 { Int64(time(nil)) }

  /// The account's variable, or nil when it is not set.
  package static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
