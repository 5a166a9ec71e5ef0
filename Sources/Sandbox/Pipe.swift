internal import CLinux
package import EventLoop

/// A descriptor with several holders, closed when the last lets go.
package final class SharedDescriptor: Sendable {
  package let descriptor: Descriptor

  package init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

  package var number: Int32 { descriptor.number }
}

/// A pipe: what is written to one end is read from the other.
package struct Pipe: Sendable {
  package let reading: SharedDescriptor
  package let writing: SharedDescriptor

  package init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    let code = unsafe ends.withUnsafeMutableBufferPointer { unsafe gh_pipe($0.baseAddress) }
    guard code == 0 else { throw SystemError("make a pipe") }
    reading = SharedDescriptor(Descriptor(owning: ends[0]))
    writing = SharedDescriptor(Descriptor(owning: ends[1]))
  }

  /// One that somebody else made.
  package init(reading: SharedDescriptor, writing: SharedDescriptor) {
    self.reading = reading
    self.writing = writing
  }
}

/// A pseudo-terminal: `primary` is ours, `secondary` becomes the command's.
package struct Terminal: Sendable {
  package let primary: SharedDescriptor
  package let secondary: SharedDescriptor

  /// - Throws: when the system has no terminal left.
  package init(_ size: TerminalSize) throws(SystemError) {
    let primary = gh_open_terminal()
    guard primary >= 0 else { throw SystemError("open a terminal") }
    self.primary = SharedDescriptor(Descriptor(owning: primary))
    let secondary = gh_open_terminal_peer(primary)
    guard secondary >= 0 else { throw SystemError("open a terminal's other side") }
    self.secondary = SharedDescriptor(Descriptor(owning: secondary))
    try self.primary.descriptor.resizeTerminal(size)
  }
}

/// A terminal's size in character cells.
package struct TerminalSize: Equatable, Sendable {
  package var columns: UInt16
  package var rows: UInt16

  package init(columns: UInt16, rows: UInt16) {
    self.columns = columns
    self.rows = rows
  }
}

extension Descriptor {
  /// Gives a terminal a new size; its foreground processes get SIGWINCH.
  package func resizeTerminal(_ size: TerminalSize) throws(SystemError) {
    guard gh_resize_terminal(number, size.columns, size.rows) == 0 else {
      throw SystemError("resize a terminal")
    }
  }

  /// The process group that a terminal's signals go to now.
  package var foregroundGroup: Int32? {
    let group = tcgetpgrp(number)
    return group > 0 ? group : nil
  }
}
