internal import CLinux
internal import CSpawn
package import EventLoop

/// Starts programs of ours: in a session of their own, with an empty environment.
package enum Program {
  /// Starts `path` with the null device as its streams, and gives its process id.
  ///
  /// It finds the descriptors `passing` open, as numbers from 3 on, in this order. Whoever starts
  /// it waits for it: see `reap`.
  package static func start(
    _ path: String,
    _ arguments: [String],
    passing: [Int32]
  ) throws(SystemError) -> Int32 {
    let null = try Descriptor.openNull()
    // Numbers above all targets, so that no target overwrites a source.
    let least = Int32(3 + passing.count)
    var sources: [Int32] = []
    defer { for source in sources { close(source) } }
    for number in [null.number, null.number, null.number] + passing {
      let copy = gh_duplicate(number, least)
      guard copy >= 0 else { throw SystemError("duplicate a descriptor") }
      sources.append(copy)
    }
    var process: pid_t = 0
    let code = unsafe withCStrings(arguments.map { Array($0.utf8) }) { arguments in
      unsafe sources.withUnsafeBufferPointer { sources in
        unsafe gh_start_program(
          &process,
          path,
          arguments,
          sources.baseAddress,
          Int32(sources.count)
        )
      }
    }
    guard code == 0 else { throw SystemError("start \(path)", code: code) }
    return process
  }

  /// Waits for a child to end. Nothing if it is none of ours.
  package static func reap(_ process: Int32) {
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, gh_errno() == EINTR {}
  }

  /// Whether it is a child of this process and runs. One that has ended is reaped.
  package static func isRunningChild(_ process: Int32) -> Bool {
    var status: Int32 = 0
    return unsafe process > 0 && waitpid(process, &status, WNOHANG) == 0
  }
}
