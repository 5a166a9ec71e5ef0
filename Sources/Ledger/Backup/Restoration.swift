internal import Crypto

/// That a ledger goes on from a copy of itself, as its history keeps it.
///
/// What the plane did between the copy and its loss is not in the ledger any more. Checkpoints outside
/// may have seen it: they are then of a history that was given up, which only an event that names them
/// can say. Without it they prove that events were removed.
package struct Restoration: Equatable, Sendable {
  /// When the copy was made, in seconds since 1970.
  package let copied: Int64
  /// The last event of the history before that a checkpoint outside had seen; 0: none beyond the copy.
  package let until: UInt64
  /// How many checkpoints had seen events beyond the copy.
  package let checkpoints: UInt64
  /// SHA-256 over their notes, as they were kept, one after the other; empty: there is none.
  let digest: [UInt8]
  /// Why it is gone on without these events, as an operator said; empty: none were seen.
  package let reason: String
  /// The life that the ledger begins now is at least this one, so that it lies above those that the
  /// copy knows nothing of. Not kept.
  var life: Int64 = 0

  init(copied: Int64, until: UInt64, checkpoints: UInt64, digest: [UInt8], reason: String) {
    self.copied = copied
    self.until = until
    self.checkpoints = checkpoints
    self.digest = digest
    self.reason = reason
  }

  /// `now`, in seconds since 1970, becomes the ledger's life: lives are counted by starts, of which
  /// there is less than one a second, so it lies above all before.
  package init(copied: Int64, beyond: BeyondCopy?, reason: String, now: Int64) {
    self.init(
      copied: copied,
      until: beyond?.until ?? 0,
      checkpoints: beyond?.checkpoints ?? 0,
      digest: beyond?.digest ?? [],
      reason: beyond == nil ? "" : reason
    )
    // Session epochs are lives times 2³²; see `SessionEpoch`.
    life = min(now, Int64(UInt32.max) - 1)
  }
}

/// What checkpoints outside have seen of a ledger, and a copy of it has not.
package struct BeyondCopy: Equatable, Sendable {
  /// The last event that was seen.
  package let until: UInt64
  /// When that was signed, in seconds since 1970; nil: it does not say.
  package let time: Int64?
  package let checkpoints: UInt64
  /// Those of them that the copy's key did not sign: it was exchanged since, or they are forged.
  package let unknown: UInt64
  let digest: [UInt8]

  /// Nil when no checkpoint of `origin` goes beyond `last`. `key`: that signs at the copy's end.
  init?(
    _ checkpoints: [SignedCheckpoint],
    of origin: String,
    last: UInt64,
    _ key: NoteKey?
  ) {
    let beyond = checkpoints.filter {
      $0.checkpoint.origin == origin && $0.checkpoint.size > last
    }
    guard let furthest = beyond.max(by: { $0.checkpoint.size < $1.checkpoint.size }) else {
      return nil
    }
    until = furthest.checkpoint.size
    time = furthest.checkpoint.time
    self.checkpoints = UInt64(beyond.count)
    unknown = UInt64(beyond.count { note in key.map { note.isSigned(by: $0) } != true })
    digest = Self.digest(beyond)
  }

  static func digest(_ notes: [SignedCheckpoint]) -> [UInt8] {
    var sha = SHA256()
    for note in notes {
      let bytes = Array(note.note.utf8)
      sha.update(bytes.span)
    }
    return sha.finishAndBegin().bytes
  }
}
