internal import Crypto
internal import DaemonWire
internal import Sandbox

/// What one call of a file tool changes: exactly, since it does so itself.
struct Mutation {
  private var report = EffectsReport(.tool)
  /// What was put in its place, and nobody knows yet whether it stays there.
  private var doubtful: [UInt8]?
  private var file: (path: [UInt8], before: FileState?, after: FileState)?
  private var diff: (text: String, isCut: Bool)?

  /// A folder on the way to the file.
  mutating func made(_ folder: [UInt8], _ status: FileStatus) -> ToolChange {
    let path = PathBytes.tidy(folder)
    let state = FileState(type: .directory, mode: status.permissions)
    report.add(path, from: nil, to: state)
    return ToolChange(path: path, before: nil, after: status, state: state)
  }

  /// The file is being put in its place: what fails from here on leaves it in doubt.
  mutating func begin(_ path: [UInt8]) { doubtful = path }

  /// The file is there with its new content.
  mutating func end(
    from before: FileTools.CurrentFile?,
    to content: [UInt8],
    _ status: FileStatus
  ) -> ToolChange {
    let path = doubtful ?? []
    doubtful = nil
    let after = Self.state(status, content, SHA256.hash(content))
    let old = before.map { Self.state($0.status, $0.content, $0.sha256 ?? []) }
    file = (path, old, after)
    return ToolChange(path: path, before: before?.status, after: status, state: after)
  }

  /// The change as its answer shows it.
  mutating func shows(_ diff: (text: String, isCut: Bool)) { self.diff = diff }

  var effects: Effects {
    var report = report
    if let file { report.add(file.path, from: file.before, to: file.after, diff: diff) }
    if let doubtful {
      report.note(
        incomplete: "writing \(PathText.brief(doubtful)) failed; it may be there all the same"
      )
    }
    return report.finished()
  }

  /// `content` is `nil` where it is too large to be had at once.
  private static func state(
    _ status: FileStatus,
    _ content: [UInt8]?,
    _ sha256: [UInt8]
  ) -> FileState {
    var state = FileState(
      type: FileType(status.kind),
      bytes: status.bytes,
      mode: status.permissions,
      sha256: sha256
    )
    if let content, content.count <= TextStore.maxText {
      state.kept = content.isText ? .kept : .binary
      state.text = content.isText ? content : []
    } else {
      state.kept = .tooLarge
    }
    return state
  }
}
