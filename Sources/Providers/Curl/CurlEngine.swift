internal import CCurl
internal import Glibc
internal import Synchronization

/// The thread that runs all transfers of a client, and the mailbox that leads to it.
///
/// Lifetimes: the thread holds the engine until it was told to close; the multi handle is freed by
/// the thread after `close`, under the mailbox's lock, so that no wakeup reaches a freed handle.
@safe final class CurlEngine: @unchecked Sendable {
  // Unchecked: `multi` is set once, before the thread; curl allows `curl_multi_wakeup` from any
  // thread; everything else of it happens on the engine's thread. `mailbox` is a mutex.
  enum Letter {
    case start(Transfer)
    /// The reader took what was there.
    case resume(Transfer)
    /// The reader is gone, or has all.
    case end(Transfer)
  }

  private let multi: UnsafeMutableRawPointer
  private let mailbox = Mutex(Mailbox())

  /// - Throws: `other` when memory or threads are out.
  static func start() throws(HTTPError) -> CurlEngine {
    guard CurlLibrary.isReady, let multi = unsafe curl_multi_init() else {
      throw HTTPError(code: .other, reason: "libcurl could not be started")
    }
    let engine = unsafe CurlEngine(multi: multi)
    var thread = pthread_t()
    let user = unsafe Unmanaged.passRetained(engine)  // taken back by the thread's first line
    let code = unsafe pthread_create(
      &thread,
      nil,
      { unsafe CurlEngine.runThread($0) },
      user.toOpaque()
    )
    guard code == 0 else {
      unsafe user.release()
      unsafe curl_multi_cleanup(multi)
      throw HTTPError(code: .other, reason: "no thread for libcurl: error \(code)")
    }
    pthread_detach(thread)
    return engine
  }

  private init(multi: UnsafeMutableRawPointer) { unsafe self.multi = multi }

  /// From any thread. After `close` a new transfer fails at once.
  func post(_ letter: Letter) {
    let refused: Transfer? = mailbox.withLock { mailbox in
      guard mailbox.isOpen else {
        if case .start(let transfer) = letter { return transfer }
        return nil
      }
      mailbox.letters.append(letter)
      unsafe curl_multi_wakeup(multi)
      return nil
    }
    refused?.finish(HTTPError(code: .closed, reason: "the HTTP client is closed"))
  }

  /// Ends all transfers and the thread, without waiting for it.
  func close() {
    mailbox.withLock { mailbox in
      guard mailbox.isOpen else { return }
      mailbox.isOpen = false
      unsafe curl_multi_wakeup(multi)
    }
  }

  private static func runThread(_ user: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let user = unsafe user else { preconditionFailure("a thread without its engine") }
    unsafe Unmanaged<CurlEngine>.fromOpaque(user).takeRetainedValue().run()
    return nil
  }

  /// The thread's life.
  private func run() {
    var transfers = unsafe TransferTable(multi: multi)
    while true {
      let (letters, isOpen) = mailbox.withLock { mailbox in
        let letters = mailbox.letters
        mailbox.letters = []
        return (letters, mailbox.isOpen)
      }
      guard isOpen else { break }
      for letter in letters { transfers.handle(letter) }
      transfers.perform()
      // A second at most, so that a lost wakeup costs a second.
      unsafe curl_multi_poll(multi, nil, 0, 1000, nil)
    }
    transfers.endAll()
    mailbox.withLock { _ in _ = unsafe curl_multi_cleanup(multi) }
  }

  private struct Mailbox {
    var letters: [Letter] = []
    var isOpen = true
  }
}

/// `curl_global_init`, once.
private enum CurlLibrary {
  static let isReady = curl_global_init(gh_curl_global_all) == CURLE_OK
}
