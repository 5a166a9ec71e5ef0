internal import CCurl

/// The transfers in a multi handle. Belongs to the engine's thread.
@safe struct TransferTable {
  private let multi: UnsafeMutableRawPointer
  private var handles: [ObjectIdentifier: EasyHandle] = [:]

  init(multi: UnsafeMutableRawPointer) { unsafe self.multi = multi }

  mutating func handle(_ letter: CurlEngine.Letter) {
    switch letter {
    case .start(let transfer): start(transfer)
    case .resume(let transfer): handles[ObjectIdentifier(transfer)]?.resume()
    case .end(let transfer): end(transfer, nil)
    }
  }

  /// Moves bytes and reports the transfers that are over.
  mutating func perform() {
    var running: Int32 = 0
    unsafe curl_multi_perform(multi, &running)
    var code = CURLE_OK
    while let finished = unsafe gh_curl_next_finished(multi, &code) {
      guard let handle = handles.values.first(where: { unsafe $0.easy == finished }) else {
        continue
      }
      end(handle.transfer, handle.error(for: code))
    }
  }

  mutating func endAll() {
    for handle in handles.values {
      end(handle.transfer, HTTPError(code: .closed, reason: "the HTTP client is closed"))
    }
  }

  private mutating func start(_ transfer: Transfer) {
    do {
      let handle = try EasyHandle(transfer)
      handles[ObjectIdentifier(transfer)] = handle
      unsafe curl_multi_add_handle(multi, handle.easy)
    } catch {
      transfer.finish(error)
    }
  }

  private mutating func end(_ transfer: Transfer, _ error: HTTPError?) {
    guard let handle = handles.removeValue(forKey: ObjectIdentifier(transfer)) else { return }
    unsafe curl_multi_remove_handle(multi, handle.easy)
    transfer.finish(error)
  }
}
