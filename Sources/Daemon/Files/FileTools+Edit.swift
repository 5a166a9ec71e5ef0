internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import Sandbox

extension FileTools {
  /// Files above this are not edited in memory.
  static let maxEditedBytes: UInt64 = 16 << 20

  func edit(
    _ request: EditRequest,
    _ cancellation: Cancellation,
    _ mutation: inout Mutation
  ) throws(ToolError) -> EditResponse {
    let batch = try EditBatch(request.edits)
    return try workspace.inOrder { () throws(ToolError) in
      try editInOrder(batch, request, cancellation, &mutation)
    }
  }

  private func editInOrder(
    _ batch: EditBatch,
    _ request: EditRequest,
    _ cancellation: Cancellation,
    _ mutation: inout Mutation
  ) throws(ToolError) -> EditResponse {
    let path = request.path
    let place = try ToolError.translating(path) { () throws(SystemError) in
      try workspace.root.place(of: path)
    }
    let current = try current(at: place, path, keeping: Self.maxEditedBytes, cancellation)
    try check(request.ifMatch, current, path)
    guard let current else {
      throw ToolError(.notFound, "no file \(PathText.quoted(path)); make it with files.write")
    }
    guard let old = current.content else {
      throw ToolError(.tooLarge, "\(PathText.quoted(path)) is above 16 MiB; edit it with a command")
    }

    let edited = try batch.apply(to: old, named: PathText.quoted(path), cancellation)
    try put(edited.content, at: place, path, replacing: current, 0, &mutation)
    let diff = diff(path, from: current, to: edited.content)
    mutation.shows(diff)
    return EditResponse(
      sha256: SHA256.hash(edited.content),
      totalBytes: UInt64(edited.content.count),
      replacements: edited.replacements,
      diff: diff.text,
      diffTruncated: diff.isCut
    )
  }
}
