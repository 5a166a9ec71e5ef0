internal import Crypto

/// Holds checkpoints against what the ledger really is, in the order of their sizes.
struct CheckpointVerdicts {
  private enum Verdict {
    case holds, differs, forged, beyond, givenUp
    /// Nobody knows whose signature it ought to have.
    case unjudged
  }

  /// A checkpoint, and its place among those that were kept.
  struct Seen {
    let place: Int
    let note: SignedCheckpoint

    var checkpoint: Checkpoint { note.checkpoint }
  }

  private var waiting: ArraySlice<Seen>
  private var judged: [(seen: Seen, verdict: Verdict)] = []

  init(_ checkpoints: [SignedCheckpoint]) {
    waiting =
      checkpoints.enumerated().map { Seen(place: $0.offset, note: $0.element) }
      .sorted { ($0.checkpoint.size, $0.place) < ($1.checkpoint.size, $1.place) }[...]
  }

  /// The next one for a tree of this size.
  mutating func next(ofSize size: UInt64) -> Seen? {
    // None has size 0 but by mistake; it proves nothing.
    while let first = waiting.first, first.checkpoint.size < size { judge(waiting.removeFirst()) }
    guard waiting.first?.checkpoint.size == size else { return nil }
    return waiting.removeFirst()
  }

  private mutating func judge(_ seen: Seen) { judged.append((seen, .forged)) }

  /// Judges one whose size the tree has. `key`: that signed then, if that is known; `matches`: whether its root is the
  /// tree's.
  mutating func judge(_ seen: Seen, _ key: NoteKey?, matches: Bool) {
    guard let key else { return judged.append((seen, .unjudged)) }
    let isSigned = seen.checkpoint.origin == key.name && seen.note.isSigned(by: key)
    judged.append((seen, !isSigned ? .forged : matches ? .holds : .differs))
  }

  /// Judges those beyond the end, and tells of all.
  mutating func finish(_ key: NoteKey?, last: UInt64, _ report: inout VerifyReport) {
    for seen in waiting {
      guard let key else {
        judged.append((seen, .unjudged))
        continue
      }
      judged.append((seen, seen.note.isSigned(by: key) ? .beyond : .forged))
    }
    report.checkpoints = judged.count
    report.unjudgedCheckpoints = judged.count { $0.verdict == .unjudged }
    var before = 0
    for index in report.restorations.indices {
      giveUp(&report.restorations[index], from: before, key)
      before = report.restorations[index].place ?? before
    }
    let lastGood = judged.last { $0.verdict == .holds }?.seen.checkpoint
    report.covered = lastGood.map { .init(sequence: $0.size, time: $0.time) }
    tellChanged(lastGood?.size ?? 0, &report)
    tellForged(key, &report)
    guard let cut = judged.last(where: { $0.verdict == .beyond })?.seen.checkpoint else { return }
    report.add(
      .cut,
      last + 1,
      "the ledger ends with event \(last), and a checkpoint was signed for \(cut.size): the last "
        + "\(cut.size - last) events were removed, or an old copy was put back"
    )
  }

  /// Takes those out that are of a history that the ledger says was given up: kept before any that
  /// holds since then, and of events that are not there. `from`: the place where the restoration before
  /// this one has its first; what stands before that was given up by it.
  ///
  /// What was signed by a key that the copy does not know can still be told from a forgery: by the
  /// digest of all of them, which the ledger keeps.
  private mutating func giveUp(
    _ restored: inout VerifyReport.Restored,
    from: Int,
    _ key: NoteKey?
  ) {
    let (first, until) = (restored.sequence, restored.restoration.until)
    let places = judged.filter { $0.verdict == .holds && $0.seen.checkpoint.size >= first }
      .map(\.seen.place)
    restored.place = places.min()
    guard let key, let since = restored.place, first <= until else { return }
    let named = judged.indices.filter { index in
      let seen = judged[index].seen
      return (from..<since).contains(seen.place) && (first...until).contains(seen.checkpoint.size)
        && seen.checkpoint.origin == key.name
    }
    let notes = named.map { judged[$0].seen }.sorted { $0.place < $1.place }.map(\.note)
    let areAll = BeyondCopy.digest(notes) == restored.restoration.digest
    for index in named where areAll || [.differs, .beyond].contains(judged[index].verdict) {
      judged[index].verdict = .givenUp
      restored.checkpoints += 1
    }
  }

  private func tellChanged(_ lastGood: UInt64, _ report: inout VerifyReport) {
    var before: UInt64 = 0
    var isTold = false
    for (seen, verdict) in judged {
      let size = seen.checkpoint.size
      if verdict == .holds { before = size }
      guard verdict == .differs else { continue }
      if size <= lastGood {
        report.add(
          .fork,
          before + 1,
          "a checkpoint of event \(size) was signed for another history than this one, which a later "
            + "checkpoint was signed for: the ledger was forked after event \(before)"
        )
      } else if !isTold {
        isTold = true
        report.add(
          .changed,
          before + 1,
          "events \(before + 1) to \(size) are not those that the checkpoint of event \(size) was "
            + "signed for"
        )
      }
    }
  }

  private func tellForged(_ key: NoteKey?, _ report: inout VerifyReport) {
    for (seen, verdict) in judged where verdict == .forged {
      let checkpoint = seen.checkpoint
      guard let key, checkpoint.origin != key.name else {
        report.add(
          .forged,
          nil,
          "the checkpoint of event \(checkpoint.size) is not signed by the ledger's key"
        )
        continue
      }
      report.add(
        .stranger,
        nil,
        "there is a checkpoint of another ledger, \(checkpoint.origin), of event "
          + "\(checkpoint.size); if that one was given up on purpose, move the file away"
      )
    }
  }
}
