internal import DaemonWire
internal import TextDiff

/// Puts `Effects` together within what a message holds.
struct EffectsReport {
  static let maxFiles = 1_000
  /// Of a message, without texts and diffs, in bytes.
  private static let maxListed = 384 << 10
  /// Of texts and diffs together, in bytes.
  private static let maxTexts = 384 << 10
  private static let maxReasons = 16
  private static let maxReasonBytes = 1_024

  private(set) var effects: Effects
  private var listed = 0
  private var texts = 0

  init(_ source: EffectsSource) { effects = Effects(source: source) }

  var isFull: Bool { effects.files.count >= Self.maxFiles || listed >= Self.maxListed }

  mutating func passOver(_ count: Int) { effects.more += UInt64(count) }

  /// A long reason, as one that names a long path, loses its end.
  mutating func note(incomplete reason: String) {
    let reason = reason.clipped(to: Self.maxReasonBytes)
    guard effects.incomplete.count < Self.maxReasons, !effects.incomplete.contains(reason) else {
      return
    }
    effects.incomplete.append(reason)
  }

  /// Adds a file that was, and is, like this, if that is a change.
  ///
  /// `isSame`: its content is the same as far as the kernel can say, which counts where a digest is
  /// missing. `diff` is that of contents that are not kept, if it is there.
  mutating func add(
    _ path: [UInt8],
    from before: FileState?,
    to after: FileState?,
    isSame: Bool = false,
    diff: (text: String, isCut: Bool)? = nil
  ) {
    guard let change = Self.change(before, after, isSame: isSame) else { return }
    guard !isFull else { return passOver(1) }
    var effect = FileEffect(path: path, change: change, before: before, after: after)
    limitTexts(of: &effect, diff)
    listed += path.count + 128
    effects.files.append(effect)
  }

  /// Files in byte order of their paths, as they are sent.
  func finished(sharedWith others: Int = 0) -> Effects {
    var result = effects
    result.files.sort { $0.path.lexicographicallyPrecedes($1.path) }
    result.sharedWith = UInt32(clamping: others)
    return result
  }

  private static func change(
    _ before: FileState?,
    _ after: FileState?,
    isSame: Bool
  ) -> FileChange? {
    guard let before else { return after == nil ? nil : .created }
    guard let after else { return .deleted }
    guard before.type == after.type else { return .typeChanged }
    let hasSameContent: Bool
    switch after.type {
    case .regular, .symlink:
      let isKnown = !before.sha256.isEmpty && !after.sha256.isEmpty
      hasSameContent = isKnown ? before.sha256 == after.sha256 : isSame
    default: hasSameContent = true
    }
    guard hasSameContent else { return .modified }
    return before.mode == after.mode ? nil : .modeChanged
  }

  private mutating func limitTexts(
    of effect: inout FileEffect,
    _ diff: (text: String, isCut: Bool)?
  ) {
    let (old, new) = (effect.before?.text, effect.after?.text)
    let count = (old?.count ?? 0) + (new?.count ?? 0)
    if effect.change == .modeChanged {
      // Both sides are the same.
      effect.dropTexts()
    } else if texts + count <= Self.maxTexts {
      texts += count
      if let diff, !effect.hasTexts { takeDiff(diff, into: &effect) }
    } else {
      let room = min(UnifiedDiff.maxBytes, Self.maxTexts - texts)
      if effect.hasTexts, room > 0 {
        let name = PathText.escaped(effect.path)
        takeDiff(UnifiedDiff.make(name, from: old, to: new, maxBytes: room), into: &effect)
      }
      effect.dropTexts()
    }
  }

  private mutating func takeDiff(_ diff: (text: String, isCut: Bool), into effect: inout FileEffect)
  {
    guard texts + diff.text.utf8.count <= Self.maxTexts else { return effect.diffTruncated = true }
    texts += diff.text.utf8.count
    effect.diff = diff.text
    effect.diffTruncated = diff.isCut
  }
}

extension FileEffect {
  /// Both sides' contents are here.
  fileprivate var hasTexts: Bool {
    [before, after].allSatisfy { $0 == nil || $0?.kept == .kept }
  }

  fileprivate mutating func dropTexts() {
    before?.dropText()
    after?.dropText()
  }
}

extension FileState {
  fileprivate mutating func dropText() {
    guard kept == .kept else { return }
    kept = .leftOut
    text = []
  }
}
