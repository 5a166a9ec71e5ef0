internal import DaemonWire
internal import EventLoop
internal import Sandbox

extension FileTools {
  func stat(
    _ request: StatRequest,
    _ cancellation: Cancellation
  ) throws(ToolError) -> StatResponse {
    let status = try ToolError.translating(request.path) { () throws(SystemError) in
      try workspace.root.status(of: request.path)
    }
    var response = StatResponse(file: info(request.path, status))
    // Reading it all would keep a thread from all others who use the workspace.
    if request.digest, status.kind == .regular, status.bytes <= Self.maxDigestedBytes {
      response.sha256 = try digest(of: try open(request.path), request.path, cancellation)
    }
    return response
  }

  func info(_ path: [UInt8], _ status: FileStatus) -> FileInfo {
    var info = FileInfo(
      path: path,
      bytes: status.bytes,
      mode: status.permissions,
      modifiedUnixUs: status.modifiedMicroseconds
    )
    switch status.kind {
    case .regular: info.type = .regular
    case .folder: info.type = .directory
    case .other: info.type = .other
    case .link:
      info.type = .symlink
      // It may have been removed or replaced meanwhile: then no target is the truth.
      info.linkTarget = (try? workspace.root.target(ofLink: path)) ?? []
    }
    return info
  }
}
