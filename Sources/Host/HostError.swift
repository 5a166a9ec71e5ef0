internal import CLinux

/// Something the plane's own machine refused: a file, a folder, a process.
package struct HostError: Error, Equatable, CustomStringConvertible {
  /// Names the thing and the remedy; holds no content of files.
  package let description: String

  package init(_ description: String) { self.description = description }

  /// With the reason of the system call that has just failed.
  init(failed what: String) {
    self.init("\(what): \(HostError.reason(gh_errno()))")
  }

  static func reason(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
