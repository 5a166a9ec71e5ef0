internal import CLinux
internal import Glibc
internal import Synchronization

/// Signals to this process, as something to wait for.
package enum Signals {
  package static let interrupt = SIGINT
  package static let terminate = SIGTERM
  package static let hangUp = SIGHUP
  package static let windowChanged = SIGWINCH

  /// Gives each of these signals as it comes, instead of what it would do. For the process's life;
  /// once.
  package static func watch(_ numbers: [Int32]) -> AsyncStream<Int32> {
    let (stream, continuation) = AsyncStream<Int32>.makeStream(
      bufferingPolicy: .bufferingNewest(16)
    )
    var ends: [Int32] = [-1, -1]
    guard unsafe gh_pipe(&ends) == 0 else { return stream }
    pipeEnd.store(ends[1], ordering: .relaxed)
    let reader = Reader(pipe: ends[0], continuation: continuation)
    reader.start()
    for number in numbers { catchSignal(number) }
    return stream
  }

  /// Has writes to closed pipes fail, instead of ending the process.
  package static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

  private static let pipeEnd = Atomic<Int32>(-1)

  /// The handler loads a number and calls write(2), which a signal handler may.
  private static func catchSignal(_ number: Int32) {
    _ = signal(number) { number in
      let code = gh_errno()
      var byte = UInt8(truncatingIfNeeded: number)
      _ = unsafe write(Signals.pipeEnd.load(ordering: .relaxed), &byte, 1)
      errno = code
    }
  }

  /// The thread that reads the pipe; it lives as long as the process.
  private final class Reader: Sendable {
    let pipe: Int32
    let continuation: AsyncStream<Int32>.Continuation

    init(pipe: Int32, continuation: AsyncStream<Int32>.Continuation) {
      self.pipe = pipe
      self.continuation = continuation
    }

    func start() {
      var thread = pthread_t()
      let user = unsafe Unmanaged.passRetained(self).toOpaque()  // the thread's, for good
      _ = unsafe pthread_create(
        &thread,
        nil,
        { user in
          if let user = unsafe user {
            unsafe Unmanaged<Reader>.fromOpaque(user).takeUnretainedValue().run()
          }
          return nil
        },
        user
      )
      pthread_detach(thread)
    }

    private func run() {
      var byte: UInt8 = 0
      while true {
        let count = unsafe Glibc.read(pipe, &byte, 1)
        if count == 1 { continuation.yield(Int32(byte)) } else if errno != EINTR { return }
      }
    }
  }
}
