internal import CLinux
internal import Glibc

/// Variables of the process's environment that hold a secret.
package enum EnvironmentSecret {
  /// Reads a variable and wipes its bytes out of the process's memory, so that neither a child's
  /// environment nor `/proc/PID/environ` has it. Lies here since it needs C's strings; call it
  /// before there are other threads.
  ///
  /// - Returns: its value; `nil` when it isn't set or is empty.
  package static func take(_ name: String) -> String? {
    guard let bytes = unsafe getenv(name) else { return nil }
    let value = unsafe String(cString: bytes)
    unsafe gh_environment_erase(name)
    return value.isEmpty ? nil : value
  }

  /// Reads a variable that is no secret.
  package static func read(_ name: String) -> String? {
    guard let bytes = unsafe getenv(name) else { return nil }
    let value = unsafe String(cString: bytes)
    return value.isEmpty ? nil : value
  }
}
