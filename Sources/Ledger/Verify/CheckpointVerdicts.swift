internal import Crypto

/// Holds checkpoints against what the ledger really is, in the order of their sizes.
struct CheckpointVerdicts {
  private enum Verdict {
    case holds, differs, forged, beyond, givenUp
    /// Nobody knows whose signature it ought to have.
    case unjudged
  }

  /// A checkpoint's place in the list.
  struct Seen {
    let place: Int
    let size: UInt64
  }

  private struct Judged {
    let seen: Seen
    /// Seconds since 1970.
    var time: Int64?
    var verdict: Verdict
  }

  private let list: CheckpointList
  private var waiting: ArraySlice<Seen>
  private var judged: [Judged] = []

  init(_ list: CheckpointList) {
    self.list = list
    waiting =
      list.entries.enumerated().map { Seen(place: $0.offset, size: $0.element.size) }
      .sorted { ($0.size, $0.place) < ($1.size, $1.place) }[...]
  }

  /// The next one for a tree of this size.
  mutating func next(ofSize size: UInt64) -> Seen? {
    // None has size 0 but by mistake; it proves nothing.
    while let first = waiting.first, first.size < size {
      judged.append(Judged(seen: waiting.removeFirst(), verdict: .forged))
    }
    guard waiting.first?.size == size else { return nil }
    return waiting.removeFirst()
  }

  /// Judges one whose size the tree has. `key`: that signed then, if that is known; `root`: the tree's;
  /// nil: it can match none.
  mutating func judge(_ seen: Seen, _ key: NoteKey?, root: Hash256?) {
    guard let key else { return judged.append(Judged(seen: seen, verdict: .unjudged)) }
    guard let note = list.note(seen.place), note.checkpoint.origin == key.name,
      note.isSigned(by: key)
    else { return judged.append(Judged(seen: seen, verdict: .forged)) }
    let verdict = note.checkpoint.root == root ? Verdict.holds : .differs
    judged.append(Judged(seen: seen, time: note.checkpoint.time, verdict: verdict))
  }

  /// Judges those beyond the end, and tells of all.
  mutating func finish(_ key: NoteKey?, last: UInt64, _ report: inout VerifyReport) {
    for seen in waiting {
      var verdict = Verdict.unjudged
      if let key {
        verdict = list.note(seen.place)?.isSigned(by: key) == true ? .beyond : .forged
      }
      judged.append(Judged(seen: seen, verdict: verdict))
    }
    report.checkpoints = judged.count
    report.unjudgedCheckpoints = judged.count { $0.verdict == .unjudged }
    var before = 0
    for index in report.restorations.indices {
      giveUp(&report.restorations[index], from: before, key)
      before = report.restorations[index].place ?? before
    }
    let lastGood = judged.last { $0.verdict == .holds }
    report.covered = lastGood.map { .init(sequence: $0.seen.size, time: $0.time) }
    tellChanged(lastGood?.seen.size ?? 0, &report)
    tellForged(key, &report)
    guard let cut = judged.last(where: { $0.verdict == .beyond })?.seen else { return }
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
    let places = judged.filter { $0.verdict == .holds && $0.seen.size >= first }
      .map(\.seen.place)
    restored.place = places.min()
    guard let key, let since = restored.place, first <= until else { return }
    let named = judged.indices.filter { index in
      let seen = judged[index].seen
      return (from..<since).contains(seen.place) && (first...until).contains(seen.size)
        && list.origin(seen.place) == key.name
    }
    let notes = named.map { judged[$0].seen.place }.sorted().compactMap { list.note($0) }
    let areAll = BeyondCopy.digest(notes) == restored.restoration.digest
    for index in named where areAll || [.differs, .beyond].contains(judged[index].verdict) {
      judged[index].verdict = .givenUp
      restored.checkpoints += 1
    }
  }

  private func tellChanged(_ lastGood: UInt64, _ report: inout VerifyReport) {
    var before: UInt64 = 0
    var isTold = false
    for one in judged {
      let (size, verdict) = (one.seen.size, one.verdict)
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
    for seen in judged.filter({ $0.verdict == .forged }).map(\.seen) {
      let origin = list.origin(seen.place)
      guard let key, origin != key.name else {
        report.add(
          .forged,
          nil,
          "the checkpoint of event \(seen.size) is not signed by the ledger's key"
        )
        continue
      }
      report.add(
        .stranger,
        nil,
        "there is a checkpoint of another ledger, \(origin), of event "
          + "\(seen.size); if that one was given up on purpose, move the file away"
      )
    }
  }
}
