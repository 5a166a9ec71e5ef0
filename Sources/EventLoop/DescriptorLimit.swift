internal import CLinux
internal import Glibc

/// How many descriptors this process may have open (getrlimit(2), `RLIMIT_NOFILE`): a soft limit, which
/// counts, below a hard one.
///
/// Each connection takes a descriptor, and each command some, so ours is raised. What was there before
/// is for programs that we start: those that use select(2) break with more than 1,024.
package enum DescriptorLimit {
  /// The soft limit that this process was started with; or that of the process which started it, where
  /// that had raised its own and says so by `variable`.
  package static let inherited = told(unsafe getenv(name).map { unsafe String(cString: $0) })

  /// Has the program that this process may become know it too. While there is one thread.
  package static func tellSuccessor() { _ = unsafe setenv(name, "\(inherited)", 1) }

  /// For the environment of a program of ours that is started from here, as `NAME=value`. Not prlimit(2):
  /// the program may raise its limit before it is told to lower it.
  package static var variable: String { "\(name)=\(inherited)" }

  private static let name = "GATEHOUSE_OPEN_FILES"

  static func told(_ text: String?) -> UInt64 {
    let (soft, hard) = current
    guard let told = text.flatMap(UInt64.init), 0 < told, told <= hard else { return soft }
    return told
  }

  /// The soft and the hard limit as they are.
  package static var current: (soft: UInt64, hard: UInt64) {
    var limit = rlimit()
    unsafe getrlimit(resource, &limit)
    return (UInt64(limit.rlim_cur), UInt64(limit.rlim_max))
  }

  /// Makes the soft limit as large as the hard one, which anyone may. First thing in a program.
  package static func raise() {
    _ = inherited
    var limit = rlimit(rlim_cur: rlim_t(current.hard), rlim_max: rlim_t(current.hard))
    // Refused by nothing but a filter: the program then has what it had.
    _ = unsafe setrlimit(resource, &limit)
  }

  private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}
