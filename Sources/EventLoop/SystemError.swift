internal import CLinux

/// A failed system call: what was attempted and the kernel's reason.
package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// What was attempted, for people: "listen on 127.0.0.1:7443".
  package let operation: String
  /// The kernel's reason, one of errno(3).
  package let code: Int32

  package init(_ operation: String, code: Int32) {
    self.operation = operation
    self.code = code
  }

  /// The calling thread's last failure.
  package init(_ operation: String) {
    self.init(operation, code: gh_errno())
  }

  package var description: String {
    guard let text = unsafe strerror(code) else { return "\(operation): error \(code)" }
    return unsafe "\(operation): \(String(cString: text))"
  }
}
