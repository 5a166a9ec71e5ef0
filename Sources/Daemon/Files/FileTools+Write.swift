internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import Sandbox
internal import TextDiff

extension FileTools {
  /// Above this an old file is replaced without a diff.
  static let maxDiffedBytes: UInt64 = 4 << 20

  func write(
    _ request: WriteRequest,
    _ cancellation: Cancellation,
    _ mutation: inout Mutation
  ) throws(ToolError) -> WriteResponse {
    guard request.mode <= 0o777 else {
      throw ToolError(
        .invalidArgument,
        "mode \(request.mode) is no set of permission bits; at most 0777"
      )
    }
    return try workspace.inOrder { () throws(ToolError) in
      try writeInOrder(request, cancellation, &mutation)
    }
  }

  private func writeInOrder(
    _ request: WriteRequest,
    _ cancellation: Cancellation,
    _ mutation: inout Mutation
  ) throws(ToolError) -> WriteResponse {
    let path = request.path
    let place = try ToolError.translating(path) { () throws(SystemError) in
      if request.makeParents {
        try workspace.root.makeFolders(PathBytes.split(path).folder) { folder throws(SystemError) in
          changed(try mutation.made(folder, workspace.root.status(of: folder)))
        }
      }
      return try workspace.root.place(of: path)
    }
    let current = try current(at: place, path, keeping: Self.maxDiffedBytes, cancellation)
    try check(request.ifMatch, current, path)

    let permissions = request.mode == 0 ? 0o644 : request.mode
    try put(request.content, at: place, path, replacing: current, permissions, &mutation)
    let diff = diff(path, from: current, to: request.content)
    mutation.shows(diff)
    return WriteResponse(
      sha256: SHA256.hash(request.content),
      totalBytes: UInt64(request.content.count),
      created: current == nil,
      diff: diff.text,
      diffTruncated: diff.isCut
    )
  }

  /// A file as a mutation finds it.
  struct CurrentFile {
    let status: FileStatus
    /// `nil` for a file above `maxDigestedBytes`.
    let sha256: [UInt8]?
    /// `nil` for a file larger than was to be kept.
    let content: [UInt8]?
  }

  /// What is at a place; `nil` when there is nothing.
  func current(
    at place: borrowing Place,
    _ path: [UInt8],
    keeping maxBytes: UInt64,
    _ cancellation: Cancellation
  ) throws(ToolError) -> CurrentFile? {
    let found = try ToolError.translating(path) { () throws(SystemError) in try place.status() }
    guard let found else { return nil }
    try requireRegular(found, path)
    let file = try ToolError.translating(path) { () throws(SystemError) in try place.open() }
    let status = try ToolError.translating(path) { () throws(SystemError) in try file.status() }
    guard status.bytes <= maxBytes else {
      let isDigested = status.bytes <= Self.maxDigestedBytes
      let sha256 = isDigested ? try digest(of: file, path, cancellation) : nil
      return CurrentFile(status: status, sha256: sha256, content: nil)
    }
    let content = try ToolError.translating(path) { () throws(SystemError) in
      try file.read(at: 0, count: Int(status.bytes))
    }
    return CurrentFile(status: status, sha256: SHA256.hash(content), content: content)
  }

  func check(
    _ precondition: Precondition?,
    _ current: CurrentFile?,
    _ path: [UInt8]
  ) throws(ToolError) {
    guard let precondition else { return }
    let holds: Bool
    switch precondition.condition {
    case .sha256(let expected):
      if let current, current.sha256 == nil { throw Self.undigested(path, current.status.bytes) }
      holds = current?.sha256 == expected
    case .absent(let absent): holds = absent == (current == nil)
    case nil:
      throw ToolError(
        .invalidArgument,
        "if_match is empty, or newer than this daemon; give sha256 or absent"
      )
    }
    guard !holds else { return }
    let state = current == nil ? "is not there" : "has changed or was made meanwhile"
    var error = ToolError(
      .stale,
      "\(PathText.quoted(path)) \(state); read it again, then repeat the change on what it is now"
    )
    error.currentSha256 = current?.sha256 ?? []
    throw error
  }

  private static func undigested(_ path: [UInt8], _ bytes: UInt64) -> ToolError {
    ToolError(
      .tooLarge,
      "\(PathText.quoted(path)) has \(bytes) bytes, too many for a digest to be compared; "
        + "leave if_match out to replace it as it is"
    )
  }

  func put(
    _ content: [UInt8],
    at place: borrowing Place,
    _ path: [UInt8],
    replacing replaced: CurrentFile?,
    _ permissions: UInt32,
    _ mutation: inout Mutation
  ) throws(ToolError) {
    let written = PathBytes.tidy(place.path)
    try ToolError.translating(path) { () throws(SystemError) in
      try place.put(content, replacing: replaced?.status, permissions: permissions) {
        mutation.begin(written)
      }
      guard let status = try place.status() else { return }
      changed(mutation.end(from: replaced, to: content, status))
    }
  }

  func diff(
    _ path: [UInt8],
    from current: CurrentFile?,
    to content: [UInt8]
  ) -> (text: String, isCut: Bool) {
    guard let current else {
      return UnifiedDiff.make(PathText.escaped(path), from: nil, to: content)
    }
    guard let old = current.content else { return ("", true) }
    return UnifiedDiff.make(PathText.escaped(path), from: old, to: content)
  }
}
