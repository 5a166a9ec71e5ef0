internal import Broker
internal import FoundationEssentials
internal import SwiftProtobuf
internal import TextDiff
internal import Wire

/// What became of one file by one or more calls: its state before the first, and behind the last.
struct FileFold {
  typealias Effect = Gatehouse_Tools_V1_FileEffect
  typealias State = Gatehouse_Tools_V1_FileState

  /// Of the diff of one file, in bytes.
  private static let maxDiff = 256 << 10

  private let workspace: String
  private let path: [UInt8]
  private var first: State?
  private var last: State?
  private var calls: [String] = []
  /// The calls' own diffs, one after the other: for where both ends cannot be compared, and made from
  /// there on only.
  private var steps = ""
  private var hasSteps = false
  private var areStepsWhole = true
  private var areStepsCut = false
  /// What a call found was not what the one before it had left.
  private var isTornApart = false

  init(_ workspace: String, _ effect: Effect) {
    self.workspace = workspace
    path = Array(effect.path)
    first = effect.hasBefore ? effect.before : nil
    last = first
  }

  /// What it costs to keep, in bytes.
  var heldBytes: Int { (first?.text.count ?? 0) + (last?.text.count ?? 0) + steps.utf8.count }

  mutating func add(_ effect: Effect, by call: String) {
    let before = effect.hasBefore ? effect.before : nil
    let earlier = calls.isEmpty ? nil : last
    let isFirst = calls.isEmpty
    if !calls.isEmpty, Self.areApart(last, before) { isTornApart = true }
    last = effect.hasAfter ? effect.after : nil
    // A change of mode leaves the content where it was, and it is not kept twice.
    if effect.change == .modeChanged, let before, var now = last, now.kept != .kept {
      let known = [before, first].compactMap(\.self).first {
        $0.kept == .kept && $0.sha256 == now.sha256
      }
      if let known { (now.kept, now.text) = (.kept, known.text) }
      last = now
    }
    calls.append(call)
    guard hasSteps || !areEndsKept else { return }
    if !hasSteps, !isFirst {
      if let step = Self.compare(path, first, earlier) {
        (steps, areStepsCut) = step
      } else {
        areStepsWhole = false
      }
    }
    hasSteps = true
    addStep(effect)
  }

  /// Whether the file before the first call, and behind the last, can be compared.
  private var areEndsKept: Bool {
    [first, last].allSatisfy { $0 == nil || $0?.kept == .kept }
  }

  /// A call's diff is its own, or made of its texts.
  private mutating func addStep(_ effect: Effect) {
    var (text, isCut) = (effect.diff, effect.diffTruncated)
    if text.isEmpty,
      let made = Self.compare(
        path,
        effect.hasBefore ? effect.before : nil,
        effect.hasAfter ? effect.after : nil
      )
    {
      (text, isCut) = made
    } else if text.isEmpty, effect.change != .modeChanged {
      areStepsWhole = false
    }
    guard steps.utf8.count + text.utf8.count <= Self.maxDiff else { return areStepsCut = true }
    steps += text
    areStepsCut = areStepsCut || isCut
  }

  mutating func dropTexts() {
    first?.dropText()
    last?.dropText()
    steps = ""
    hasSteps = true
    areStepsWhole = false
  }

  /// False for one that is as it was, or was not there before nor is now.
  var isChanged: Bool { !Self.isSame(first, last) }

  func diff() -> Gatehouse_Plane_V1_FileDiff {
    var file = Gatehouse_Plane_V1_FileDiff()
    file.path = Data(path)
    file.workspace = workspace
    file.change = change
    if var first {
      first.text = Data()
      file.before = first
    }
    if var last {
      last.text = Data()
      file.after = last
    }
    file.calls = calls
    file.others = isTornApart
    if let (text, isCut) = Self.compare(path, first, last) {
      (file.diff, file.diffTruncated) = (text, isCut)
    } else if !steps.isEmpty {
      (file.diff, file.diffTruncated) = (steps, areStepsCut || !areStepsWhole)
    }
    if file.diff.isEmpty { file.noDiff = reason }
    (file.added, file.removed) = UnifiedDiff.lineCounts(file.diff)
    return file
  }

  private var change: Gatehouse_Tools_V1_FileChange {
    guard let first else { return .created }
    guard let last else { return .deleted }
    guard first.type == last.type else { return .typeChanged }
    return Self.hasSameContent(first, last) ? .modeChanged : .modified
  }

  /// Why there is no diff, for people.
  private var reason: String {
    let states = [first, last].compactMap(\.self)
    if change == .modeChanged { return "only its mode changed" }
    if states.allSatisfy({ $0.type == .directory }) { return "a folder" }
    if states.contains(where: { $0.kept == .binary }) { return "binary" }
    if states.contains(where: { $0.kept == .tooLarge }) { return "too large to be kept" }
    if states.contains(where: { $0.kept == .leftOut }) { return "its content was not kept" }
    return states.contains { $0.bytes > 0 } ? "nothing to compare" : "empty"
  }

  /// The diff where both sides are here, a missing file among them; else nil. Empty when they are the
  /// same.
  private static func compare(
    _ path: [UInt8],
    _ old: State?,
    _ new: State?
  ) -> (text: String, isCut: Bool)? {
    for state in [old, new] {
      if let state, state.kept != .kept { return nil }
    }
    return UnifiedDiff.make(
      PathName.text(path),
      from: old.map { Array($0.text) },
      to: new.map { Array($0.text) },
      maxBytes: maxDiff
    )
  }

  private static func isSame(_ one: State?, _ other: State?) -> Bool {
    guard let one, let other else { return one == nil && other == nil }
    return one.type == other.type && one.mode == other.mode && hasSameContent(one, other)
  }

  /// Known not to be the same: where a digest is missing, nobody can say.
  private static func areApart(_ one: State?, _ other: State?) -> Bool {
    guard let one, let other, one.type == other.type, one.mode == other.mode,
      one.bytes == other.bytes
    else { return one != nil || other != nil }
    return !one.sha256.isEmpty && !other.sha256.isEmpty && one.sha256 != other.sha256
  }

  private static func hasSameContent(_ one: State, _ other: State) -> Bool {
    switch one.type {
    case .regular, .symlink:
      one.bytes == other.bytes && one.sha256 == other.sha256 && !one.sha256.isEmpty
    default: true
    }
  }
}

/// A path as it is written into a diff.
enum PathName {
  /// As it is when it is plain text, else with `\xNN` for control characters and bad UTF-8.
  static func text(_ path: [UInt8]) -> String {
    if let text = String(validating: path, as: UTF8.self),
      !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    {
      return text
    }
    return path.map { byte in
      0x20..<0x7f ~= byte
        ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
