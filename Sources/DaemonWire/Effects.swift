internal import WireC

/// How effects are known.
package enum EffectsSource: RawRepresentable, Equatable, Sendable {
  case unspecified
  /// The tool made them itself: exact.
  case tool
  /// The root before the command and behind its end.
  case scan
  /// A value that this generation does not know.
  case unrecognized(Int32)

  package init(rawValue: Int32) {
    switch rawValue {
    case 0: self = .unspecified
    case 1: self = .tool
    case 2: self = .scan
    default: self = .unrecognized(rawValue)
    }
  }

  package var rawValue: Int32 {
    switch self {
    case .unspecified: 0
    case .tool: 1
    case .scan: 2
    case .unrecognized(let rawValue): rawValue
    }
  }
}

/// What became of a file.
package enum FileChange: RawRepresentable, Equatable, Sendable {
  case unspecified
  case created
  /// Its content; maybe its mode too.
  case modified
  case deleted
  case typeChanged
  /// Nothing but its permission bits.
  case modeChanged
  /// A value that this generation does not know.
  case unrecognized(Int32)

  package init(rawValue: Int32) {
    switch rawValue {
    case 0: self = .unspecified
    case 1: self = .created
    case 2: self = .modified
    case 3: self = .deleted
    case 4: self = .typeChanged
    case 5: self = .modeChanged
    default: self = .unrecognized(rawValue)
    }
  }

  package var rawValue: Int32 {
    switch self {
    case .unspecified: 0
    case .created: 1
    case .modified: 2
    case .deleted: 3
    case .typeChanged: 4
    case .modeChanged: 5
    case .unrecognized(let rawValue): rawValue
    }
  }
}

/// Whether a file's content is here.
package enum KeptText: RawRepresentable, Equatable, Sendable {
  case unspecified
  case kept
  /// Above 64 KiB.
  case tooLarge
  /// Not UTF-8 without NUL.
  case binary
  /// Not read in time, more than fits, or not to be kept.
  case leftOut
  /// A value that this generation does not know.
  case unrecognized(Int32)

  package init(rawValue: Int32) {
    switch rawValue {
    case 0: self = .unspecified
    case 1: self = .kept
    case 2: self = .tooLarge
    case 3: self = .binary
    case 4: self = .leftOut
    default: self = .unrecognized(rawValue)
    }
  }

  package var rawValue: Int32 {
    switch self {
    case .unspecified: 0
    case .kept: 1
    case .tooLarge: 2
    case .binary: 3
    case .leftOut: 4
    case .unrecognized(let rawValue): rawValue
    }
  }
}

/// A file, folder or link as it was found.
package struct FileState: WireMessage {
  package var type: FileType
  package var bytes: UInt64
  /// Permission bits.
  package var mode: UInt32
  /// Of its content, or of where a link leads. Empty: not known.
  package var sha256: [UInt8]
  package var kept: KeptText
  /// The content of a regular file, or where a link leads, if it is kept.
  package var text: [UInt8]

  package init(
    type: FileType = .unspecified,
    bytes: UInt64 = 0,
    mode: UInt32 = 0,
    sha256: [UInt8] = [],
    kept: KeptText = .unspecified,
    text: [UInt8] = []
  ) {
    self.type = type
    self.bytes = bytes
    self.mode = mode
    self.sha256 = sha256
    self.kept = kept
    self.text = text
  }
}

extension FileState: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__file_state__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__FileState.self)
    type = unsafe .init(rawValue: Int32(bitPattern: c.type.rawValue))
    bytes = unsafe c.bytes
    mode = unsafe c.mode
    sha256 = unsafe Copy.blob(c.sha256)
    kept = unsafe .init(rawValue: Int32(bitPattern: c.kept.rawValue))
    text = unsafe Copy.blob(c.text)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__FileState.self)
    unsafe c.pointee.type = .init(UInt32(bitPattern: type.rawValue))
    unsafe c.pointee.bytes = bytes
    unsafe c.pointee.mode = mode
    unsafe c.pointee.sha256 = arena.blob(sha256)
    unsafe c.pointee.kept = .init(UInt32(bitPattern: kept.rawValue))
    unsafe c.pointee.text = arena.blob(text)
  }
}

/// What became of one file.
package struct FileEffect: WireMessage {
  /// From the root; not empty.
  package var path: [UInt8]
  package var change: FileChange
  /// `nil`: there was no such file.
  package var before: FileState?
  /// `nil`: there is none any more.
  package var after: FileState?
  /// Unified, of a text of which not both sides are kept; else empty.
  package var diff: String
  package var diffTruncated: Bool

  package init(
    path: [UInt8] = [],
    change: FileChange = .unspecified,
    before: FileState? = nil,
    after: FileState? = nil,
    diff: String = "",
    diffTruncated: Bool = false
  ) {
    self.path = path
    self.change = change
    self.before = before
    self.after = after
    self.diff = diff
    self.diffTruncated = diffTruncated
  }
}

extension FileEffect: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__file_effect__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__FileEffect.self)
    path = unsafe Copy.blob(c.path)
    change = unsafe .init(rawValue: Int32(bitPattern: c.change.rawValue))
    before = unsafe Copy.message(c.before)
    after = unsafe Copy.message(c.after)
    diff = unsafe Copy.text(c.diff)
    diffTruncated = unsafe c.diff_truncated != 0
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__FileEffect.self)
    unsafe c.pointee.path = arena.blob(path)
    unsafe c.pointee.change = .init(UInt32(bitPattern: change.rawValue))
    unsafe c.pointee.before = try arena.message(before)
    unsafe c.pointee.after = try arena.message(after)
    unsafe c.pointee.diff = try arena.text(diff)
    unsafe c.pointee.diff_truncated = diffTruncated ? 1 : 0
  }
}

/// What one call changed below the workspace's root.
package struct Effects: WireMessage {
  /// In byte order of the paths, each once.
  package var files: [FileEffect]
  package var source: EffectsSource
  /// Why something may be missing, for people.
  package var incomplete: [String]
  /// Files that changed beside those listed.
  package var more: UInt64
  /// Other commands that ran meanwhile.
  package var sharedWith: UInt32

  package init(
    files: [FileEffect] = [],
    source: EffectsSource = .unspecified,
    incomplete: [String] = [],
    more: UInt64 = 0,
    sharedWith: UInt32 = 0
  ) {
    self.files = files
    self.source = source
    self.incomplete = incomplete
    self.more = more
    self.sharedWith = sharedWith
  }
}

extension Effects: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__effects__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Effects.self)
    files = unsafe Copy.messages(c.n_files, c.files)
    source = unsafe .init(rawValue: Int32(bitPattern: c.source.rawValue))
    incomplete = unsafe Copy.texts(c.n_incomplete, c.incomplete)
    more = unsafe c.more
    sharedWith = unsafe c.shared_with
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Effects.self)
    unsafe (c.pointee.n_files, c.pointee.files) = try arena.messages(files)
    unsafe c.pointee.source = .init(UInt32(bitPattern: source.rawValue))
    unsafe (c.pointee.n_incomplete, c.pointee.incomplete) = try arena.texts(incomplete)
    unsafe c.pointee.more = more
    unsafe c.pointee.shared_with = sharedWith
  }
}
