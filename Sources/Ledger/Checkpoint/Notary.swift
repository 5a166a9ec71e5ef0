internal import Crypto
internal import EventLoop
internal import Host
internal import Synchronization

/// Signs what the ledger has become, and keeps it outside. On a thread of its own: the place outside
/// may be slow, and nobody who writes waits for it.
final class Notary: Sendable {
  let loop: EventLoop
  private let file: CheckpointFile?
  private let options: LedgerOptions
  private let state: Mutex<State>
  /// Asks the writer for the tree's head, and gives it on from there.
  private let askHead: @Sendable (@escaping @Sendable (UInt64, Hash256) -> Void) -> Void

  private struct State {
    var key: SigningKey
    let origin: String
    var lastSize: UInt64
    var isTimed = false
    /// It was said that the file has become long.
    var isLong = false
  }

  init(
    key: SigningKey,
    origin: String,
    lastSize: UInt64,
    _ options: LedgerOptions,
    askHead: @escaping @Sendable (@escaping @Sendable (UInt64, Hash256) -> Void) -> Void
  ) throws(LedgerError) {
    file = options.checkpointFile.map {
      CheckpointFile(path: $0, maxBytes: options.maxCheckpointBytes)
    }
    self.options = options
    self.askHead = askHead
    state = Mutex(State(key: key, origin: origin, lastSize: lastSize))
    do {
      loop = try EventLoop(name: "notary")
    } catch {
      throw LedgerError(.failing, error.description)
    }
  }

  var lastSize: UInt64 { state.withLock { $0.lastSize } }
  var signer: NoteKey {
    state.withLock { NoteKey(name: $0.origin, key: $0.key.verifier) }
  }
  var key: SigningKey { state.withLock { $0.key } }

  /// From now on this key signs.
  func use(_ key: SigningKey) { state.withLock { $0.key = key } }

  /// There are events up to `size`: a checkpoint follows in time.
  func grew(to size: UInt64) {
    guard file != nil else { return }
    let isFirst = state.withLock { state in
      guard size > state.lastSize, !state.isTimed else { return false }
      state.isTimed = true
      return true
    }
    guard isFirst else { return }
    loop.execute { self.loop.schedule(after: self.options.checkpointDelay) { self.due() } }
  }

  private func due() {
    askHead { size, root in
      // The key of this moment: one that is exchanged now does not sign what was before it.
      let key = self.key
      self.loop.execute { self.sign(size, root, key, mayRetry: true) }
    }
  }

  /// Signs and keeps it, on the loop.
  func sign(_ size: UInt64, _ root: Hash256, _ key: SigningKey, mayRetry: Bool) {
    loop.preconditionOnLoop()
    let (origin, last) = state.withLock { state in
      state.isTimed = false
      return (state.origin, state.lastSize)
    }
    guard let file, size > last else { return }
    let checkpoint = Checkpoint(
      origin: origin,
      size: size,
      root: root,
      time: options.clock() / 1_000_000
    )
    do {
      let signed = try SignedCheckpoint(checkpoint, by: key)
      options.checkpointSigned?(size, signed.note)
      let long = try file.append(signed)
      let isNews = state.withLock { state in
        state.lastSize = size
        defer { state.isLong = long != nil }
        return !state.isLong
      }
      if let long, isNews { options.notice(.checkpointsLong(bytes: long, CheckpointFile.remedy)) }
    } catch {
      options.notice(.checkpointFailed("\(error)"))
      if mayRetry { grew(to: size) }
    }
  }
}
