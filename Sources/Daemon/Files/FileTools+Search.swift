internal import DaemonWire
internal import EventLoop
internal import RegularExpression
internal import Sandbox
internal import TextDiff

extension FileTools {
  /// Larger files are skipped.
  static let maxSearchedBytes: UInt64 = 16 << 20

  func search(
    _ request: SearchRequest,
    _ cancellation: Cancellation
  ) throws(ToolError) -> SearchResponse {
    guard request.contextLines <= 10 else {
      throw ToolError(.invalidArgument, "\(request.contextLines) context lines; ask for at most 10")
    }
    let position = try SearchPosition(request.continuation)
    let path = PathBytes.tidy(request.path)
    let status = try ToolError.translating(path) { () throws(SystemError) in
      try workspace.root.status(of: path)
    }
    let limits = Search.Limits(until: .now + searchTime, cancellation)
    var search = Search(try pattern(request), request, from: position, limits)
    if status.kind != .folder {
      try requireRegular(status, path)
      try search.visit(path, content: try searchable(path, status))
      return search.response
    }
    let options = TreeWalk.Options(
      includeHidden: request.includeHidden,
      includeIgnored: request.includeIgnored
    )
    let start = position.map { TreeWalk.Position(path: $0.path, isIncluded: true) }
    var walk = try TreeWalk(path, in: workspace, options, from: start, cancellation)
    let filter = PathFilter(request.globs, below: path)
    while !search.isFull, let entry = walk.next() {
      try cancellation.check()
      guard search.hasTime(for: entry.path) else { break }
      if entry.status.kind == .regular, filter.accepts(entry.path) {
        // Unreadable ones are counted, not failed: one file must not end a search of thousands.
        try search.visit(entry.path, content: (try? searchable(entry.path, entry.status)) ?? nil)
      }
      search.hasBegun = true
    }
    return search.response
  }

  private func pattern(_ request: SearchRequest) throws(ToolError) -> Pattern {
    guard !request.pattern.isEmpty else {
      throw ToolError(.invalidArgument, "the pattern is empty; say what to look for")
    }
    do {
      return try Pattern(
        request.pattern,
        literal: request.literal,
        ignoreCase: request.ignoreCase
      )
    } catch {
      throw ToolError(
        .invalidArgument,
        "the pattern is no regular expression: \(error); mend it, or set literal to look for the text"
      )
    }
  }

  /// A file's content; `nil` when it is not to be searched.
  private func searchable(_ path: [UInt8], _ status: FileStatus) throws(ToolError) -> [UInt8]? {
    guard status.bytes <= Self.maxSearchedBytes else { return nil }
    let file = try open(path)
    let content = try ToolError.translating(path) { () throws(SystemError) in
      try file.read(at: 0, count: Int(status.bytes))
    }
    return content.prefix(8_192).contains(0) ? nil : content
  }
}

/// Where a search goes on: after a line of a file.
struct SearchPosition: Equatable {
  let path: [UInt8]
  let line: Int

  init(path: [UInt8], line: Int) {
    self.path = path
    self.line = line
  }

  /// `nil` for the start; `invalid_argument` when `continuation` was not made by `encoded`.
  init?(_ continuation: [UInt8]) throws(ToolError) {
    guard !continuation.isEmpty else { return nil }
    let digits = continuation.lastIndex(of: 0).map { continuation[($0 + 1)...] }
    guard let digits, let line = Int(String(decoding: digits, as: UTF8.self)), line >= 0
    else {
      throw ToolError(
        .invalidArgument,
        "the continuation is not from a search; give the one of the last response"
      )
    }
    path = Array(continuation.dropLast(digits.count + 1))
    self.line = line
  }

  var encoded: [UInt8] { path + [0] + Array("\(line)".utf8) }
}

/// The state of one search: what was found, and how much more fits.
private struct Search: ~Copyable {
  /// Bytes of a line that are shown.
  private static let maxLineBytes = 1_024
  /// What a match costs of a response besides its texts.
  private static let matchOverhead = 64

  private(set) var response = SearchResponse()
  private(set) var isFull = false
  private let pattern: Pattern
  private let contextLines: Int
  private let maxMatches: Int
  private let start: SearchPosition?
  private let limits: Limits
  private var bytes = 0
  /// Whether anything was looked at: then there is a place to go on from.
  var hasBegun = false

  /// When to stop without an end: a search holds one of few threads.
  struct Limits {
    let deadline: ContinuousClock.Instant
    let cancellation: Cancellation

    init(until deadline: ContinuousClock.Instant, _ cancellation: Cancellation) {
      self.deadline = deadline
      self.cancellation = cancellation
    }
  }

  init(
    _ pattern: consuming Pattern,
    _ request: SearchRequest,
    from start: SearchPosition?,
    _ limits: Limits
  ) {
    self.pattern = pattern
    self.start = start
    self.limits = limits
    contextLines = Int(request.contextLines)
    maxMatches = request.maxMatches == 0 ? 200 : min(Int(request.maxMatches), 2_000)
  }

  /// Looks through one file; without `content` it counts as skipped.
  ///
  /// - Throws: when it was cancelled.
  mutating func visit(_ path: [UInt8], content: [UInt8]?) throws(ToolError) {
    guard let content else {
      response.filesSkipped += 1
      return
    }
    response.filesSearched += 1
    let lines = TextLines(content)
    let first = path == start?.path ? start?.line ?? 0 : 0
    for index in min(first, lines.count)..<lines.count {
      try limits.cancellation.check()
      guard hasTime(for: path, line: index) else { return }
      hasBegun = true
      switch pattern.firstMatch(in: content.span.extracting(lines.body(index))) {
      case .none: continue
      case .limited:
        response.limited = true
        return
      case .found(let column): add(match(path, lines, index, column))
      }
      if isFull { return }
    }
  }

  /// Whether there is time to look at a line, or a file's first one. Without, the next search goes
  /// on there.
  mutating func hasTime(for path: [UInt8], line: Int = 0) -> Bool {
    // One look at least, so that the next search is further on.
    guard hasBegun, ContinuousClock.now >= limits.deadline else { return true }
    isFull = true
    response.continuation = SearchPosition(path: path, line: line).encoded
    return false
  }

  private mutating func add(_ match: SearchMatch) {
    bytes += ([match.path, match.text] + match.before + match.after).reduce(Self.matchOverhead) {
      $0 + $1.count
    }
    guard response.matches.count < maxMatches, bytes <= FileTools.maxContentBytes else {
      isFull = true
      if let last = response.matches.last {
        response.continuation = SearchPosition(path: last.path, line: Int(last.line)).encoded
      }
      return
    }
    response.matches.append(match)
  }

  private func match(
    _ path: [UInt8],
    _ lines: TextLines,
    _ index: Int,
    _ column: Int
  ) -> SearchMatch {
    let before = max(0, index - contextLines)..<index
    let after = (index + 1)..<min(lines.count, index + 1 + contextLines)
    return SearchMatch(
      path: path,
      line: UInt64(index + 1),
      column: UInt32(column + 1),
      text: text(lines, index),
      before: before.map { text(lines, $0) },
      after: after.map { text(lines, $0) }
    )
  }

  private func text(_ lines: TextLines, _ index: Int) -> [UInt8] {
    Array(lines.bytes[lines.body(index)].prefix(Self.maxLineBytes))
  }
}
