internal import CLinux

/// Operating system threads, for loops and worker pools.
package enum Thread {
  /// Runs `body` on a new thread, which ends with it.
  package static func start(
    named name: String,
    _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
    var thread = pthread_t()
    let code = unsafe pthread_create(&thread, nil, enter, start.toOpaque())
    guard code == 0 else {
      unsafe start.release()
      throw SystemError("start the thread '\(name)'", code: code)
    }
    pthread_detach(thread)
  }

  /// The calling thread; never 0.
  package static var currentID: UInt { UInt(pthread_self()) }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// The C entry; takes over the reference that `start` retained.
  private static let enter: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
    { argument in
      guard let argument = unsafe argument else { preconditionFailure("thread without a body") }
      let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
      // The kernel keeps 15 bytes of a name.
      _ = unsafe gh_set_thread_name(String(start.name.prefix(15)))
      start.body()
      return nil
    }
}
