internal import Client
internal import Crypto
internal import SwiftProtobuf
internal import Wire

/// Changes of files as people read them.
struct DiffScreen {
  private let isStat: Bool
  private let style: Style
  /// About what may be missing, or may be others'.
  private(set) var remarks: [String] = []
  private(set) var isIncomplete = false
  /// Files whose content is known neither as text nor by its digest, before or behind.
  private var unknown: UInt64 = 0
  private var firstUnknown = ""
  private var files: UInt64 = 0
  private var added: UInt64 = 0
  private var removed: UInt64 = 0

  init(isStat: Bool, style: Style) {
    self.isStat = isStat
    self.style = style
  }

  /// What is to be printed of a message.
  mutating func take(_ response: Gatehouse_Plane_V1_DiffResponse) -> String {
    switch response.message {
    case .summary(let summary):
      for call in summary.calls { remark(on: call) }
      if summary.underWay > 0 {
        isIncomplete = true
        remarks.append("not here: what \(Plain.count(summary.underWay, "call")) under way changes")
      }
      return ""
    case .file(let file):
      files += 1
      if file.others {
        remarks.append(
          "\(Self.name(file)): something else changed it between these calls, which is in the diff too"
        )
      }
      if file.diffTruncated, !file.diff.isEmpty {
        isIncomplete = true
        remarks.append(
          "\(Self.name(file)): the rest of its diff is left out, so it cannot be applied"
        )
      }
      if file.hasUnknownContent {
        if unknown == 0 { firstUnknown = Self.name(file) }
        unknown += 1
      }
      added += file.added
      removed += file.removed
      return isStat ? line(file) : whole(file)
    case nil: return ""
    }
  }

  /// Behind the last file.
  mutating func end() -> String {
    if unknown > 0 {
      isIncomplete = true
      let others = unknown > 1 ? " and \(Plain.count(unknown - 1, "more file"))" : ""
      remarks.append(
        "\(firstUnknown)\(others): not read before or behind the change (large, or left out by "
          + ".gitignore), so not even a digest is there"
      )
    }
    guard isStat, files > 0 else { return "" }
    return "\(Plain.count(files, "file")) changed, "
      + style.green("+\(added)") + " " + style.red("-\(removed)") + "\n"
  }

  private mutating func remark(on call: Gatehouse_Plane_V1_CallChanges) {
    var reasons = call.incomplete
    if call.more > 0 { reasons.append("\(Plain.count(call.more, "more file")) changed") }
    if call.erased {
      reasons = ["what it changed was erased"]
    } else if !call.reported {
      reasons = ["its daemon did not say what it changed"]
    }
    isIncomplete = isIncomplete || !reasons.isEmpty
    if !reasons.isEmpty { remarks.append("\(call.call): \(reasons.joined(separator: "; "))") }
    if call.sharedWith > 0 {
      remarks.append(
        "\(call.call): \(Plain.count(call.sharedWith, "other command")) ran meanwhile; changes may be "
          + "theirs"
      )
    }
  }

  private func line(_ file: Gatehouse_Plane_V1_FileDiff) -> String {
    let counts =
      file.diff.isEmpty
      ? style.dim(Plain.text(file.noDiff))
      : style.green("+\(file.added)") + " " + style.red("-\(file.removed)")
    let change = Names.text(file.change)
    let pad = String(repeating: " ", count: max(0, 12 - change.count))
    return "\(change)\(pad)  \(Self.name(file))  \(counts)\n"
  }

  private func whole(_ file: Gatehouse_Plane_V1_FileDiff) -> String {
    var text = ""
    if file.diff.isEmpty {
      text =
        style.bold("\(Names.text(file.change)) \(Self.name(file))") + "  "
        + style.dim(Plain.text(file.noDiff)) + "\n"
      if file.hasBefore { text += style.red("- \(Self.state(file.before))") + "\n" }
      if file.hasAfter { text += style.green("+ \(Self.state(file.after))") + "\n" }
      return text
    }
    if file.hasBefore, file.hasAfter, file.before.mode != file.after.mode {
      text +=
        style.dim("mode \(Self.octal(file.before.mode)) → \(Self.octal(file.after.mode))") + "\n"
    }
    return text + style.diff(Plain.text(file.diff)) + "\n"
  }

  private static func state(_ state: Gatehouse_Tools_V1_FileState) -> String {
    let kind: String =
      switch state.type {
      case .directory: "folder"
      case .symlink: "link"
      case .regular: Plain.size(state.bytes)
      default: "device"
      }
    let digest = state.sha256.isEmpty ? "" : "  sha256 \(Hex.encode(Array(state.sha256)))"
    return "\(kind)  mode \(octal(state.mode))\(digest)"
  }

  private static func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }

  private static func name(_ file: Gatehouse_Plane_V1_FileDiff) -> String {
    Plain.text(String(decoding: file.path, as: UTF8.self))
  }
}

extension Gatehouse_Plane_V1_FileDiff {
  /// It had, or has, content of which not even a digest is known, nor does a diff show it.
  fileprivate var hasUnknownContent: Bool {
    let sides = [hasBefore ? before : nil, hasAfter ? after : nil].compactMap(\.self)
    return diff.isEmpty && change != .modeChanged
      && sides.contains { [.regular, .symlink].contains($0.type) && $0.sha256.isEmpty }
  }
}
