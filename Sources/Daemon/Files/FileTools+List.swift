internal import DaemonWire
internal import Sandbox

extension FileTools {
  /// What an entry costs of a response besides its names.
  private static let entryOverhead = 64

  func list(
    _ request: ListFilesRequest,
    _ cancellation: Cancellation
  ) throws(ToolError) -> ListFilesResponse {
    let folder = PathBytes.tidy(request.path)
    let options = TreeWalk.Options(
      isRecursive: request.recursive,
      includeHidden: request.includeHidden,
      includeIgnored: request.includeIgnored
    )
    let position =
      request.continuation.isEmpty
      ? nil : TreeWalk.Position(path: request.continuation, isIncluded: false)
    var walk = try TreeWalk(folder, in: workspace, options, from: position, cancellation)
    let filter = PathFilter(request.globs, below: folder)
    let maxEntries = request.maxEntries == 0 ? 1_000 : min(Int(request.maxEntries), 10_000)

    var response = ListFilesResponse()
    var bytes = 0
    while let entry = walk.next() {
      try cancellation.check()
      guard filter.accepts(entry.path) else { continue }
      let info = info(entry.path, entry.status)
      bytes += info.path.count + info.linkTarget.count + Self.entryOverhead
      guard response.files.count < maxEntries, bytes <= Self.maxContentBytes else {
        response.continuation = response.files.last?.path ?? []
        return response
      }
      response.files.append(info)
    }
    try cancellation.check()
    return response
  }
}

/// Globs of which one must match.
struct PathFilter {
  private let globs: [Glob]
  private let prefix: Int

  /// The globs see paths below `folder`.
  init(_ globs: [String], below folder: [UInt8]) {
    self.globs = globs.map { Glob(Array($0.utf8)[...]) }
    prefix = folder.isEmpty ? 0 : folder.count + 1
  }

  func accepts(_ path: [UInt8]) -> Bool {
    guard !globs.isEmpty else { return true }
    let below = Array(path.dropFirst(prefix))
    return globs.contains { $0.matches(below) }
  }
}
