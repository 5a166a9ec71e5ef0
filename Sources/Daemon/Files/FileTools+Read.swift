internal import Crypto
internal import DaemonWire
internal import EventLoop
internal import Sandbox

extension FileTools {
  /// Most bytes of content in one response: it has to fit in one message.
  static let maxContentBytes = 768 << 10
  /// Above this a file is not digested: it would read all for a part.
  static let maxDigestedBytes: UInt64 = 64 << 20
  /// Above this lines are not counted: a sparse file may have any size.
  static let maxCountedBytes: UInt64 = 1 << 30

  func read(
    _ request: ReadRequest,
    _ cancellation: Cancellation
  ) throws(ToolError) -> ReadResponse {
    let file = try open(request.path)
    let asked = Int(request.maxBytes)
    let maxBytes = asked == 0 ? Self.maxContentBytes : min(asked, Self.maxContentBytes)
    return switch request.range {
    case .lines(let lines): try read(lines, of: file, request.path, maxBytes, cancellation)
    case .bytes(let range): try read(range, of: file, request.path, maxBytes, cancellation)
    case nil: try read(ByteRange(), of: file, request.path, maxBytes, cancellation)
    }
  }

  private func read(
    _ range: ByteRange,
    of file: borrowing OpenFile,
    _ path: [UInt8],
    _ maxBytes: Int,
    _ cancellation: Cancellation
  ) throws(ToolError) -> ReadResponse {
    let total = try ToolError.translating(path) { () throws(SystemError) in try file.status().bytes
    }
    let rest = total - min(total, range.offset)
    let length = range.length == 0 ? rest : min(range.length, rest)
    let count = min(Int(length), maxBytes)
    let content = try ToolError.translating(path) { () throws(SystemError) in
      try file.read(at: range.offset, count: count)
    }
    var response = ReadResponse(content: content, offset: range.offset, totalBytes: total)
    response.truncated = UInt64(content.count) < length
    if content.count == total {
      response.sha256 = SHA256.hash(content)
    } else if total <= Self.maxDigestedBytes {
      response.sha256 = try digest(of: file, path, cancellation)
    }
    return response
  }

  private func read(
    _ lines: LineRange,
    of file: borrowing OpenFile,
    _ path: [UInt8],
    _ maxBytes: Int,
    _ cancellation: Cancellation
  ) throws(ToolError) -> ReadResponse {
    guard lines.first > 0, lines.last == 0 || lines.last >= lines.first else {
      throw ToolError(
        .invalidArgument,
        "lines \(lines.first) to \(lines.last) are no range; lines count from 1, and last is 0 or not below first"
      )
    }
    let bytes = try ToolError.translating(path) { () throws(SystemError) in try file.status().bytes
    }
    guard bytes <= Self.maxCountedBytes else {
      throw ToolError(
        .tooLarge,
        "\(PathText.quoted(path)) has \(bytes) bytes, too many to count lines in; read a range of bytes"
      )
    }
    var selection = LineSelection(lines, maxBytes: maxBytes)
    var hash = SHA256()
    try scan(file, path, cancellation) { block in
      selection.take(block)
      if selection.totalBytes <= Self.maxDigestedBytes { hash.update(block.span) }
    }
    selection.finish()
    return ReadResponse(
      content: selection.content,
      offset: selection.offset,
      totalBytes: selection.totalBytes,
      sha256: selection.totalBytes <= Self.maxDigestedBytes ? hash.finalize() : [],
      truncated: selection.isCut,
      firstLine: lines.first,
      totalLines: selection.totalLines
    )
  }

  /// Opens a regular file.
  func open(_ path: [UInt8]) throws(ToolError) -> OpenFile {
    let file = try ToolError.translating(path) { () throws(SystemError) in
      try workspace.root.open(path)
    }
    let status = try ToolError.translating(path) { () throws(SystemError) in try file.status() }
    try requireRegular(status, path)
    return file
  }

  func requireRegular(_ status: FileStatus, _ path: [UInt8]) throws(ToolError) {
    switch status.kind {
    case .regular: return
    case .folder:
      throw ToolError(.isDirectory, "\(PathText.quoted(path)) is a folder; name a file in it")
    case .link, .other: throw .notRegular(path)
    }
  }

  /// The digest of a whole file, 32 bytes.
  func digest(
    of file: borrowing OpenFile,
    _ path: [UInt8],
    _ cancellation: Cancellation
  ) throws(ToolError) -> [UInt8] {
    var hash = SHA256()
    try scan(file, path, cancellation) { block in hash.update(block.span) }
    return hash.finalize()
  }

  /// Reads a whole file in blocks.
  private func scan(
    _ file: borrowing OpenFile,
    _ path: [UInt8],
    _ cancellation: Cancellation,
    _ body: ([UInt8]) -> Void
  ) throws(ToolError) {
    var offset: UInt64 = 0
    while true {
      try cancellation.check()
      let block = try ToolError.translating(path) { () throws(SystemError) in
        try file.read(at: offset, count: 256 << 10)
      }
      if block.isEmpty { return }
      body(block)
      offset += UInt64(block.count)
    }
  }
}

extension Cancellation {
  func check() throws(ToolError) {
    if isCancelled { throw ToolError(.unavailable, "cancelled; nothing was changed") }
  }
}
