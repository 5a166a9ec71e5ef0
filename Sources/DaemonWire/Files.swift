internal import WireC

/// A file's kind.
package enum FileType: RawRepresentable, Equatable, Sendable {
  case unspecified
  case regular
  case directory
  case symlink
  case other
  /// A value that this generation does not know.
  case unrecognized(Int32)

  package init(rawValue: Int32) {
    switch rawValue {
    case 0: self = .unspecified
    case 1: self = .regular
    case 2: self = .directory
    case 3: self = .symlink
    case 4: self = .other
    default: self = .unrecognized(rawValue)
    }
  }

  package var rawValue: Int32 {
    switch self {
    case .unspecified: 0
    case .regular: 1
    case .directory: 2
    case .symlink: 3
    case .other: 4
    case .unrecognized(let rawValue): rawValue
    }
  }
}

/// A range of a file in bytes.
package struct ByteRange: WireMessage {
  package var offset: UInt64
  /// 0: to the end, or as much as one response holds.
  package var length: UInt64

  package init(offset: UInt64 = 0, length: UInt64 = 0) {
    self.offset = offset
    self.length = length
  }
}

extension ByteRange: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__byte_range__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__ByteRange.self)
    offset = unsafe c.offset
    length = unsafe c.length
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__ByteRange.self)
    unsafe c.pointee.offset = offset
    unsafe c.pointee.length = length
  }
}

/// Lines are counted from 1 and end after '\n'.
package struct LineRange: WireMessage {
  package var first: UInt64
  /// Included; 0: to the end.
  package var last: UInt64

  package init(first: UInt64 = 0, last: UInt64 = 0) {
    self.first = first
    self.last = last
  }
}

extension LineRange: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__line_range__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__LineRange.self)
    first = unsafe c.first
    last = unsafe c.last
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__LineRange.self)
    unsafe c.pointee.first = first
    unsafe c.pointee.last = last
  }
}

/// Tool `files.read`.
package struct ReadRequest: WireMessage {
  package enum Range: Equatable, Sendable {
    case bytes(ByteRange)
    case lines(LineRange)
  }

  package var path: [UInt8]
  package var range: Range?
  /// Most bytes to return; 0: 768 KiB, which is also the most.
  package var maxBytes: UInt32

  package init(path: [UInt8] = [], range: Range? = nil, maxBytes: UInt32 = 0) {
    self.path = path
    self.range = range
    self.maxBytes = maxBytes
  }
}

extension ReadRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__read_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__ReadRequest.self)
    path = unsafe Copy.blob(c.path)
    switch unsafe c.range_case {
    case GATEHOUSE__TOOLS__V1__READ_REQUEST__RANGE_BYTES:
      range = unsafe Copy.message(c.bytes).map { .bytes($0) }
    case GATEHOUSE__TOOLS__V1__READ_REQUEST__RANGE_LINES:
      range = unsafe Copy.message(c.lines).map { .lines($0) }
    default: range = nil
    }
    maxBytes = unsafe c.max_bytes
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__ReadRequest.self)
    unsafe c.pointee.path = arena.blob(path)
    switch range {
    case .bytes(let value):
      unsafe c.pointee.bytes = try arena.message(value)
      unsafe c.pointee.range_case = GATEHOUSE__TOOLS__V1__READ_REQUEST__RANGE_BYTES
    case .lines(let value):
      unsafe c.pointee.lines = try arena.message(value)
      unsafe c.pointee.range_case = GATEHOUSE__TOOLS__V1__READ_REQUEST__RANGE_LINES
    case nil: break
    }
    unsafe c.pointee.max_bytes = maxBytes
  }
}

/// Answer of `files.read`.
package struct ReadResponse: WireMessage {
  package var content: [UInt8]
  /// Of `content` in the file, bytes.
  package var offset: UInt64
  /// Of the file.
  package var totalBytes: UInt64
  /// Of the whole file; the value for `if_match`. 32 bytes. Empty above 64 MiB.
  package var sha256: [UInt8]
  /// The range holds more; go on at offset + length.
  package var truncated: Bool
  /// Of `content`, when lines were asked for.
  package var firstLine: UInt64
  /// Of the file, when lines were asked for.
  package var totalLines: UInt64

  package init(
    content: [UInt8] = [],
    offset: UInt64 = 0,
    totalBytes: UInt64 = 0,
    sha256: [UInt8] = [],
    truncated: Bool = false,
    firstLine: UInt64 = 0,
    totalLines: UInt64 = 0
  ) {
    self.content = content
    self.offset = offset
    self.totalBytes = totalBytes
    self.sha256 = sha256
    self.truncated = truncated
    self.firstLine = firstLine
    self.totalLines = totalLines
  }
}

extension ReadResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__read_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__ReadResponse.self)
    content = unsafe Copy.blob(c.content)
    offset = unsafe c.offset
    totalBytes = unsafe c.total_bytes
    sha256 = unsafe Copy.blob(c.sha256)
    truncated = unsafe c.truncated != 0
    firstLine = unsafe c.first_line
    totalLines = unsafe c.total_lines
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__ReadResponse.self)
    unsafe c.pointee.content = arena.blob(content)
    unsafe c.pointee.offset = offset
    unsafe c.pointee.total_bytes = totalBytes
    unsafe c.pointee.sha256 = arena.blob(sha256)
    unsafe c.pointee.truncated = truncated ? 1 : 0
    unsafe c.pointee.first_line = firstLine
    unsafe c.pointee.total_lines = totalLines
  }
}

/// The state a file must be in, else `stale`.
package struct Precondition: WireMessage {
  package enum Condition: Equatable, Sendable {
    /// Of the whole file.
    case sha256([UInt8])
    /// True: there must be no such file.
    case absent(Bool)
  }

  package var condition: Condition?

  package init(condition: Condition? = nil) {
    self.condition = condition
  }
}

extension Precondition: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__precondition__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Precondition.self)
    switch unsafe c.condition_case {
    case GATEHOUSE__TOOLS__V1__PRECONDITION__CONDITION_SHA256:
      condition = .sha256(unsafe Copy.blob(c.sha256))
    case GATEHOUSE__TOOLS__V1__PRECONDITION__CONDITION_ABSENT:
      condition = .absent(unsafe c.absent != 0)
    default: condition = nil
    }
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Precondition.self)
    switch condition {
    case .sha256(let value):
      unsafe c.pointee.sha256 = arena.blob(value)
      unsafe c.pointee.condition_case = GATEHOUSE__TOOLS__V1__PRECONDITION__CONDITION_SHA256
    case .absent(let value):
      unsafe c.pointee.absent = value ? 1 : 0
      unsafe c.pointee.condition_case = GATEHOUSE__TOOLS__V1__PRECONDITION__CONDITION_ABSENT
    case nil: break
    }
  }
}

/// Tool `files.write`: makes or replaces a whole file, atomically.
package struct WriteRequest: WireMessage {
  package var path: [UInt8]
  package var content: [UInt8]
  package var ifMatch: Precondition?
  package var makeParents: Bool
  /// Permission bits for a new file; 0: 0644. An existing file keeps its own.
  package var mode: UInt32

  package init(
    path: [UInt8] = [],
    content: [UInt8] = [],
    ifMatch: Precondition? = nil,
    makeParents: Bool = false,
    mode: UInt32 = 0
  ) {
    self.path = path
    self.content = content
    self.ifMatch = ifMatch
    self.makeParents = makeParents
    self.mode = mode
  }
}

extension WriteRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__write_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__WriteRequest.self)
    path = unsafe Copy.blob(c.path)
    content = unsafe Copy.blob(c.content)
    ifMatch = unsafe Copy.message(c.if_match)
    makeParents = unsafe c.make_parents != 0
    mode = unsafe c.mode
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__WriteRequest.self)
    unsafe c.pointee.path = arena.blob(path)
    unsafe c.pointee.content = arena.blob(content)
    unsafe c.pointee.if_match = try arena.message(ifMatch)
    unsafe c.pointee.make_parents = makeParents ? 1 : 0
    unsafe c.pointee.mode = mode
  }
}

/// Answer of `files.write`.
package struct WriteResponse: WireMessage {
  package var sha256: [UInt8]
  package var totalBytes: UInt64
  package var created: Bool
  /// Unified; empty for binary content, at most 64 KiB.
  package var diff: String
  package var diffTruncated: Bool

  package init(
    sha256: [UInt8] = [],
    totalBytes: UInt64 = 0,
    created: Bool = false,
    diff: String = "",
    diffTruncated: Bool = false
  ) {
    self.sha256 = sha256
    self.totalBytes = totalBytes
    self.created = created
    self.diff = diff
    self.diffTruncated = diffTruncated
  }
}

extension WriteResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__write_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__WriteResponse.self)
    sha256 = unsafe Copy.blob(c.sha256)
    totalBytes = unsafe c.total_bytes
    created = unsafe c.created != 0
    diff = unsafe Copy.text(c.diff)
    diffTruncated = unsafe c.diff_truncated != 0
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__WriteResponse.self)
    unsafe c.pointee.sha256 = arena.blob(sha256)
    unsafe c.pointee.total_bytes = totalBytes
    unsafe c.pointee.created = created ? 1 : 0
    unsafe c.pointee.diff = try arena.text(diff)
    unsafe c.pointee.diff_truncated = diffTruncated ? 1 : 0
  }
}

/// One replacement. `old_text` must occur exactly once, unless `replace_all`.
package struct Edit: WireMessage {
  /// Not empty.
  package var oldText: [UInt8]
  package var newText: [UInt8]
  package var replaceAll: Bool

  package init(oldText: [UInt8] = [], newText: [UInt8] = [], replaceAll: Bool = false) {
    self.oldText = oldText
    self.newText = newText
    self.replaceAll = replaceAll
  }
}

extension Edit: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__edit__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Edit.self)
    oldText = unsafe Copy.blob(c.old_text)
    newText = unsafe Copy.blob(c.new_text)
    replaceAll = unsafe c.replace_all != 0
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Edit.self)
    unsafe c.pointee.old_text = arena.blob(oldText)
    unsafe c.pointee.new_text = arena.blob(newText)
    unsafe c.pointee.replace_all = replaceAll ? 1 : 0
  }
}

/// Tool `files.edit`: applies edits in order, all or none, atomically.
package struct EditRequest: WireMessage {
  package var path: [UInt8]
  /// 1…256.
  package var edits: [Edit]
  package var ifMatch: Precondition?

  package init(path: [UInt8] = [], edits: [Edit] = [], ifMatch: Precondition? = nil) {
    self.path = path
    self.edits = edits
    self.ifMatch = ifMatch
  }
}

extension EditRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__edit_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__EditRequest.self)
    path = unsafe Copy.blob(c.path)
    edits = unsafe Copy.messages(c.n_edits, c.edits)
    ifMatch = unsafe Copy.message(c.if_match)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__EditRequest.self)
    unsafe c.pointee.path = arena.blob(path)
    unsafe (c.pointee.n_edits, c.pointee.edits) = try arena.messages(edits)
    unsafe c.pointee.if_match = try arena.message(ifMatch)
  }
}

/// Answer of `files.edit`.
package struct EditResponse: WireMessage {
  package var sha256: [UInt8]
  package var totalBytes: UInt64
  package var replacements: UInt32
  package var diff: String
  package var diffTruncated: Bool

  package init(
    sha256: [UInt8] = [],
    totalBytes: UInt64 = 0,
    replacements: UInt32 = 0,
    diff: String = "",
    diffTruncated: Bool = false
  ) {
    self.sha256 = sha256
    self.totalBytes = totalBytes
    self.replacements = replacements
    self.diff = diff
    self.diffTruncated = diffTruncated
  }
}

extension EditResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__edit_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__EditResponse.self)
    sha256 = unsafe Copy.blob(c.sha256)
    totalBytes = unsafe c.total_bytes
    replacements = unsafe c.replacements
    diff = unsafe Copy.text(c.diff)
    diffTruncated = unsafe c.diff_truncated != 0
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__EditResponse.self)
    unsafe c.pointee.sha256 = arena.blob(sha256)
    unsafe c.pointee.total_bytes = totalBytes
    unsafe c.pointee.replacements = replacements
    unsafe c.pointee.diff = try arena.text(diff)
    unsafe c.pointee.diff_truncated = diffTruncated ? 1 : 0
  }
}

/// What is known of a file without reading it.
package struct FileInfo: WireMessage {
  package var path: [UInt8]
  package var type: FileType
  package var bytes: UInt64
  /// Permission bits.
  package var mode: UInt32
  /// Microseconds since 1970.
  package var modifiedUnixUs: Int64
  /// Of a symbolic link.
  package var linkTarget: [UInt8]

  package init(
    path: [UInt8] = [],
    type: FileType = .unspecified,
    bytes: UInt64 = 0,
    mode: UInt32 = 0,
    modifiedUnixUs: Int64 = 0,
    linkTarget: [UInt8] = []
  ) {
    self.path = path
    self.type = type
    self.bytes = bytes
    self.mode = mode
    self.modifiedUnixUs = modifiedUnixUs
    self.linkTarget = linkTarget
  }
}

extension FileInfo: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__file_info__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__FileInfo.self)
    path = unsafe Copy.blob(c.path)
    type = unsafe .init(rawValue: Int32(bitPattern: c.type.rawValue))
    bytes = unsafe c.bytes
    mode = unsafe c.mode
    modifiedUnixUs = unsafe c.modified_unix_us
    linkTarget = unsafe Copy.blob(c.link_target)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__FileInfo.self)
    unsafe c.pointee.path = arena.blob(path)
    unsafe c.pointee.type = .init(UInt32(bitPattern: type.rawValue))
    unsafe c.pointee.bytes = bytes
    unsafe c.pointee.mode = mode
    unsafe c.pointee.modified_unix_us = modifiedUnixUs
    unsafe c.pointee.link_target = arena.blob(linkTarget)
  }
}

/// Tool `files.stat`: does not follow a final symbolic link.
package struct StatRequest: WireMessage {
  package var path: [UInt8]
  /// Also hash a regular file.
  package var digest: Bool

  package init(path: [UInt8] = [], digest: Bool = false) {
    self.path = path
    self.digest = digest
  }
}

extension StatRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__stat_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__StatRequest.self)
    path = unsafe Copy.blob(c.path)
    digest = unsafe c.digest != 0
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__StatRequest.self)
    unsafe c.pointee.path = arena.blob(path)
    unsafe c.pointee.digest = digest ? 1 : 0
  }
}

/// Answer of `files.stat`.
package struct StatResponse: WireMessage {
  package var file: FileInfo?
  package var sha256: [UInt8]

  package init(file: FileInfo? = nil, sha256: [UInt8] = []) {
    self.file = file
    self.sha256 = sha256
  }
}

extension StatResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__stat_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__StatResponse.self)
    file = unsafe Copy.message(c.file)
    sha256 = unsafe Copy.blob(c.sha256)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__StatResponse.self)
    unsafe c.pointee.file = try arena.message(file)
    unsafe c.pointee.sha256 = arena.blob(sha256)
  }
}

/// Tool `files.list`: names below a folder, in byte order.
package struct ListFilesRequest: WireMessage {
  /// Empty: the root.
  package var path: [UInt8]
  package var recursive: Bool
  /// Glob patterns (`*`, `?`, `[…]`, `**`) of which one must match the path
  /// below `path`, or its last part if the pattern has no '/'. Empty: all.
  package var globs: [String]
  /// Names that begin with '.'.
  package var includeHidden: Bool
  /// What .gitignore files leave out.
  package var includeIgnored: Bool
  /// 0: 1,000; at most 10,000.
  package var maxEntries: UInt32
  /// Of the response before.
  package var continuation: [UInt8]

  package init(
    path: [UInt8] = [],
    recursive: Bool = false,
    globs: [String] = [],
    includeHidden: Bool = false,
    includeIgnored: Bool = false,
    maxEntries: UInt32 = 0,
    continuation: [UInt8] = []
  ) {
    self.path = path
    self.recursive = recursive
    self.globs = globs
    self.includeHidden = includeHidden
    self.includeIgnored = includeIgnored
    self.maxEntries = maxEntries
    self.continuation = continuation
  }
}

extension ListFilesRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__list_files_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__ListFilesRequest.self)
    path = unsafe Copy.blob(c.path)
    recursive = unsafe c.recursive != 0
    globs = unsafe Copy.texts(c.n_globs, c.globs)
    includeHidden = unsafe c.include_hidden != 0
    includeIgnored = unsafe c.include_ignored != 0
    maxEntries = unsafe c.max_entries
    continuation = unsafe Copy.blob(c.continuation)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__ListFilesRequest.self)
    unsafe c.pointee.path = arena.blob(path)
    unsafe c.pointee.recursive = recursive ? 1 : 0
    unsafe (c.pointee.n_globs, c.pointee.globs) = try arena.texts(globs)
    unsafe c.pointee.include_hidden = includeHidden ? 1 : 0
    unsafe c.pointee.include_ignored = includeIgnored ? 1 : 0
    unsafe c.pointee.max_entries = maxEntries
    unsafe c.pointee.continuation = arena.blob(continuation)
  }
}

/// Answer of `files.list`.
package struct ListFilesResponse: WireMessage {
  package var files: [FileInfo]
  /// Not empty: there is more.
  package var continuation: [UInt8]

  package init(files: [FileInfo] = [], continuation: [UInt8] = []) {
    self.files = files
    self.continuation = continuation
  }
}

extension ListFilesResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__list_files_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__ListFilesResponse.self)
    files = unsafe Copy.messages(c.n_files, c.files)
    continuation = unsafe Copy.blob(c.continuation)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__ListFilesResponse.self)
    unsafe (c.pointee.n_files, c.pointee.files) = try arena.messages(files)
    unsafe c.pointee.continuation = arena.blob(continuation)
  }
}

/// Tool `files.search`: lines that match, in byte order of path.
package struct SearchRequest: WireMessage {
  /// File or folder; empty: the root.
  package var path: [UInt8]
  /// PCRE2, or text if `literal`.
  package var pattern: String
  package var literal: Bool
  package var ignoreCase: Bool
  /// As in ListFilesRequest.
  package var globs: [String]
  /// Before and after; at most 10.
  package var contextLines: UInt32
  /// 0: 200; at most 2,000.
  package var maxMatches: UInt32
  package var continuation: [UInt8]
  package var includeHidden: Bool
  package var includeIgnored: Bool

  package init(
    path: [UInt8] = [],
    pattern: String = "",
    literal: Bool = false,
    ignoreCase: Bool = false,
    globs: [String] = [],
    contextLines: UInt32 = 0,
    maxMatches: UInt32 = 0,
    continuation: [UInt8] = [],
    includeHidden: Bool = false,
    includeIgnored: Bool = false
  ) {
    self.path = path
    self.pattern = pattern
    self.literal = literal
    self.ignoreCase = ignoreCase
    self.globs = globs
    self.contextLines = contextLines
    self.maxMatches = maxMatches
    self.continuation = continuation
    self.includeHidden = includeHidden
    self.includeIgnored = includeIgnored
  }
}

extension SearchRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__search_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__SearchRequest.self)
    path = unsafe Copy.blob(c.path)
    pattern = unsafe Copy.text(c.pattern)
    literal = unsafe c.literal != 0
    ignoreCase = unsafe c.ignore_case != 0
    globs = unsafe Copy.texts(c.n_globs, c.globs)
    contextLines = unsafe c.context_lines
    maxMatches = unsafe c.max_matches
    continuation = unsafe Copy.blob(c.continuation)
    includeHidden = unsafe c.include_hidden != 0
    includeIgnored = unsafe c.include_ignored != 0
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__SearchRequest.self)
    unsafe c.pointee.path = arena.blob(path)
    unsafe c.pointee.pattern = try arena.text(pattern)
    unsafe c.pointee.literal = literal ? 1 : 0
    unsafe c.pointee.ignore_case = ignoreCase ? 1 : 0
    unsafe (c.pointee.n_globs, c.pointee.globs) = try arena.texts(globs)
    unsafe c.pointee.context_lines = contextLines
    unsafe c.pointee.max_matches = maxMatches
    unsafe c.pointee.continuation = arena.blob(continuation)
    unsafe c.pointee.include_hidden = includeHidden ? 1 : 0
    unsafe c.pointee.include_ignored = includeIgnored ? 1 : 0
  }
}

/// One matching line.
package struct SearchMatch: WireMessage {
  package var path: [UInt8]
  /// From 1.
  package var line: UInt64
  /// First matching byte, from 1.
  package var column: UInt32
  /// The line, cut at 1 KiB.
  package var text: [UInt8]
  package var before: [[UInt8]]
  package var after: [[UInt8]]

  package init(
    path: [UInt8] = [],
    line: UInt64 = 0,
    column: UInt32 = 0,
    text: [UInt8] = [],
    before: [[UInt8]] = [],
    after: [[UInt8]] = []
  ) {
    self.path = path
    self.line = line
    self.column = column
    self.text = text
    self.before = before
    self.after = after
  }
}

extension SearchMatch: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__search_match__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__SearchMatch.self)
    path = unsafe Copy.blob(c.path)
    line = unsafe c.line
    column = unsafe c.column
    text = unsafe Copy.blob(c.text)
    before = unsafe Copy.blobs(c.n_before, c.before)
    after = unsafe Copy.blobs(c.n_after, c.after)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__SearchMatch.self)
    unsafe c.pointee.path = arena.blob(path)
    unsafe c.pointee.line = line
    unsafe c.pointee.column = column
    unsafe c.pointee.text = arena.blob(text)
    unsafe (c.pointee.n_before, c.pointee.before) = arena.blobs(before)
    unsafe (c.pointee.n_after, c.pointee.after) = arena.blobs(after)
  }
}

/// Answer of `files.search`.
package struct SearchResponse: WireMessage {
  package var matches: [SearchMatch]
  /// Not empty: there is more.
  package var continuation: [UInt8]
  package var filesSearched: UInt64
  /// Binary, above 16 MiB, or unreadable.
  package var filesSkipped: UInt64
  /// The pattern hit its match limit in some file.
  package var limited: Bool

  package init(
    matches: [SearchMatch] = [],
    continuation: [UInt8] = [],
    filesSearched: UInt64 = 0,
    filesSkipped: UInt64 = 0,
    limited: Bool = false
  ) {
    self.matches = matches
    self.continuation = continuation
    self.filesSearched = filesSearched
    self.filesSkipped = filesSkipped
    self.limited = limited
  }
}

extension SearchResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__search_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__SearchResponse.self)
    matches = unsafe Copy.messages(c.n_matches, c.matches)
    continuation = unsafe Copy.blob(c.continuation)
    filesSearched = unsafe c.files_searched
    filesSkipped = unsafe c.files_skipped
    limited = unsafe c.limited != 0
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__SearchResponse.self)
    unsafe (c.pointee.n_matches, c.pointee.matches) = try arena.messages(matches)
    unsafe c.pointee.continuation = arena.blob(continuation)
    unsafe c.pointee.files_searched = filesSearched
    unsafe c.pointee.files_skipped = filesSkipped
    unsafe c.pointee.limited = limited ? 1 : 0
  }
}
