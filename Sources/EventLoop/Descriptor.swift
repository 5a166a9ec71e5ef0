internal import CLinux

/// An open file descriptor, closed when it goes out of scope.
package struct Descriptor: ~Copyable, Sendable {
  package let number: Int32

  /// Takes over `number`, which nobody else may close.
  package init(owning number: Int32) { self.number = number }

  deinit { _ = CLinux.close(number) }

  /// Gives the descriptor up without closing it.
  package consuming func release() -> Int32 {
    let number = self.number
    discard self
    return number
  }
}
