import Crypto
import DaemonWire
import EventLoop
import Glibc
import Sandbox
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// The tools of one workspace in a temporary folder, called as the daemon calls them.
struct FileToolsTests: WithTestedTools {
  let tested: TestedTools

  init() throws { tested = try TestedTools() }

  // What every tool refuses.

  @Test func `an unknown tool is named`() throws {
    let error = try failure("files.fly", StatRequest())
    #expect(error.code == "unknown_tool")
    #expect(error.message.contains("'files.fly'"))
  }

  @Test func `a request that is none is refused`() {
    guard case .failure(let error) = tools.run(tool: "files.read", request: [0xff]) else {
      Issue.record("it was taken")
      return
    }
    #expect(error.code == "invalid_argument")
    #expect(error.message.contains("ReadRequest"))
  }

  @Test(arguments: ["/etc/passwd", "../x", "link/passwd", "a/../../x"])
  func `every tool refuses a path that leads out`(path: String) throws {
    try folder.link("link", to: "/etc")
    try folder.write("x", to: "a/x")
    let path = bytes(path)
    let edit = Edit(oldText: [1], newText: [2])
    let errors = [
      try failure("files.read", ReadRequest(path: path)),
      try failure("files.write", WriteRequest(path: path, content: [1])),
      try failure("files.write", WriteRequest(path: path, content: [1], makeParents: true)),
      try failure("files.edit", EditRequest(path: path, edits: [edit])),
      try failure("files.list", ListFilesRequest(path: path)),
      try failure("files.search", SearchRequest(path: path, pattern: "x")),
      try failure("files.stat", StatRequest(path: path, digest: true)),
    ]
    #expect(errors.map(\.code) == Array(repeating: "outside_root", count: errors.count))
    #expect(errors.allSatisfy { $0.message.contains("leads out of the workspace") })
  }

  @Test func `what is missing, of the wrong kind or closed has a code of its own`() throws {
    try folder.write("x", to: "a/x")
    let pipe = folder.path + "/pipe"
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    let cases = [
      ("no\u{7}", "not_found"), ("a", "is_directory"), ("a/x/y", "not_directory"),
      ("pipe", "unsupported"), ("a\0", "invalid_argument"),
    ]
    for (path, code) in cases {
      #expect(try failure("files.read", ReadRequest(path: bytes(path))).code == code)
      #expect(
        try failure("files.edit", EditRequest(path: bytes(path), edits: [Edit(oldText: [1])])).code
          == code
      )
    }
    let error = try failure("files.read", ReadRequest(path: bytes("no\u{7}")))
    #expect(error.message.contains("'no\\x07'"))
    #expect(try failure("files.list", ListFilesRequest(path: bytes("a/x"))).code == "not_directory")
  }

  // files.read

  @Test func `a file is read with its digest`() throws {
    try folder.write("one\ntwo\n", to: "a")
    let response: ReadResponse = try call("files.read", ReadRequest(path: bytes("a")))
    #expect(
      response
        == ReadResponse(
          content: bytes("one\ntwo\n"),
          totalBytes: 8,
          sha256: SHA256.hash(bytes("one\ntwo\n"))
        )
    )
  }

  @Test func `a range of bytes is read, and says when there is more`() throws {
    try folder.write("0123456789", to: "a")
    func read(_ offset: UInt64, _ length: UInt64, max: UInt32 = 0) throws -> ReadResponse {
      try call(
        "files.read",
        ReadRequest(
          path: bytes("a"),
          range: .bytes(ByteRange(offset: offset, length: length)),
          maxBytes: max
        )
      )
    }
    #expect(try read(2, 3).content == bytes("234"))
    #expect(try !read(2, 3).truncated)
    #expect(try read(2, 0, max: 4).content == bytes("2345"))
    #expect(try read(2, 0, max: 4).truncated)
    #expect(try read(8, 100).content == bytes("89"))
    #expect(try read(50, .max).content.isEmpty)
    #expect(try read(2, 3).sha256 == SHA256.hash(bytes("0123456789")))
  }

  @Test func `lines are read by number`() throws {
    try folder.write("one\ntwo\nthree", to: "a")
    let response: ReadResponse = try call(
      "files.read",
      ReadRequest(
        path: bytes("a"),
        range: .lines(LineRange(first: 2, last: 3))
      )
    )
    #expect(response.content == bytes("two\nthree"))
    #expect(response.offset == 4)
    #expect(response.firstLine == 2)
    #expect(response.totalLines == 3)
    #expect(response.sha256 == SHA256.hash(bytes("one\ntwo\nthree")))
  }

  @Test(arguments: [(0, 3), (5, 4)]) func `a range of lines that is none is refused`(
    first: UInt64,
    last: UInt64
  ) throws {
    try folder.write("x", to: "a")
    let range = LineRange(first: first, last: last)
    let error = try failure("files.read", ReadRequest(path: bytes("a"), range: .lines(range)))
    #expect(error.code == "invalid_argument")
  }

  @Test func `bytes that are no text, and a name that is none, are read as they are`() throws {
    let name: [UInt8] = [0xff, 0xfe, 0x20]
    let content = [UInt8](0...255) + [0, 0]
    let _: WriteResponse = try call("files.write", WriteRequest(path: name, content: content))
    let response: ReadResponse = try call("files.read", ReadRequest(path: name))
    #expect(response.content == content)
  }

  @Test func `a file larger than a response is read in parts`() throws {
    let content = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let root = try Root(folder.path)
    try root.place(of: bytes("a")).put(content, replacing: nil, permissions: 0o644)
    var read: [UInt8] = []
    var parts = 0
    while true {
      let range = ByteRange(offset: UInt64(read.count))
      let part: ReadResponse = try call(
        "files.read",
        ReadRequest(path: bytes("a"), range: .bytes(range))
      )
      read += part.content
      parts += 1
      #expect(part.content.count <= 768 << 10)
      if !part.truncated { break }
    }
    #expect(read == content)
    #expect(parts == 3)
  }

  // files.write

  @Test func `a new file is made, with folders when asked`() throws {
    let request = WriteRequest(path: bytes("x/y"), content: bytes("hi\n"), mode: 0o755)
    #expect(try failure("files.write", request).code == "not_found")
    var parents = request
    parents.makeParents = true
    let response: WriteResponse = try call("files.write", parents)
    #expect(response.created)
    #expect(response.sha256 == SHA256.hash(bytes("hi\n")))
    #expect(response.diff == "--- /dev/null\n+++ b/x/y\n@@ -0,0 +1,1 @@\n+hi\n")
    #expect(folder.read("x/y") == "hi\n")
    let stat: StatResponse = try call("files.stat", StatRequest(path: bytes("x/y")))
    #expect(stat.file?.mode == 0o755)
    #expect(try folder.names("x") == ["y"])
  }

  @Test func `a file is replaced, its mode kept, the change shown`() throws {
    try folder.write("one\n", to: "a")
    unsafe chmod(folder.path + "/a", 0o640)
    let response: WriteResponse = try call(
      "files.write",
      WriteRequest(
        path: bytes("a"),
        content: bytes("two\n"),
        mode: 0o777
      )
    )
    #expect(!response.created)
    #expect(response.diff.hasSuffix("-one\n+two\n"))
    let stat: StatResponse = try call("files.stat", StatRequest(path: bytes("a"), digest: true))
    #expect(stat.file?.mode == 0o640)
    #expect(stat.sha256 == response.sha256)
  }

  @Test func `a stale digest is refused with the current one`() throws {
    try folder.write("theirs", to: "a")
    let stale = Precondition(condition: .sha256(SHA256.hash(bytes("mine"))))
    let error = try failure(
      "files.write",
      WriteRequest(path: bytes("a"), content: [1], ifMatch: stale)
    )
    #expect(error.code == "stale")
    #expect(error.currentSha256 == SHA256.hash(bytes("theirs")))
    #expect(error.message.contains("'a'") && error.message.contains("read it again"))
    #expect(folder.read("a") == "theirs")
    let gone = try failure(
      "files.write",
      WriteRequest(path: bytes("b"), content: [1], ifMatch: stale)
    )
    #expect(gone.code == "stale")
    #expect(gone.currentSha256.isEmpty)
    #expect(try folder.names() == ["a"])
  }

  @Test func `a file that should not be there, or should, is checked`() throws {
    try folder.write("x", to: "a")
    let absent = Precondition(condition: .absent(true))
    let error = try failure("files.write", WriteRequest(path: bytes("a"), ifMatch: absent))
    #expect(error.code == "stale")
    let made: WriteResponse = try call(
      "files.write",
      WriteRequest(path: bytes("b"), ifMatch: absent)
    )
    #expect(made.created)
    let unknown = try failure(
      "files.write",
      WriteRequest(path: bytes("b"), ifMatch: Precondition())
    )
    #expect(unknown.code == "invalid_argument")
  }

  @Test func `a mode that is none is refused`() throws {
    let error = try failure("files.write", WriteRequest(path: bytes("a"), mode: 0o1777))
    #expect(error.code == "invalid_argument")
  }

  @Test(.timeLimit(.minutes(5))) func `of writers that saw the same file one wins`() async throws {
    try folder.write("start", to: "a")
    let condition = Precondition(condition: .sha256(SHA256.hash(bytes("start"))))
    let wins = Atomic(0)
    let stales = Atomic(0)
    let tools = tools
    try await inParallel(8) { index in
      let request = WriteRequest(path: Array("a".utf8), content: [UInt8(index)], ifMatch: condition)
      let answer = tools.run(tool: "files.write", request: (try? request.encoded()) ?? [])
      switch answer {
      case .success: wins.add(1, ordering: .relaxed)
      case .failure(let error) where error.code == "stale": stales.add(1, ordering: .relaxed)
      case .failure: break
      }
    }
    #expect(wins.load(ordering: .relaxed) == 1)
    #expect(stales.load(ordering: .relaxed) == 7)
    #expect(try folder.names() == ["a"])
  }

  @Test(.timeLimit(.minutes(5))) func `edits of one file at the same time are all there`()
    async throws
  {
    try folder.write((0..<8).map { "<\($0)>\n" }.joined(), to: "a")
    let tools = tools
    try await inParallel(8) { index in
      let edit = Edit(oldText: Array("<\(index)>".utf8), newText: Array("[\(index)]".utf8))
      let request = EditRequest(path: Array("a".utf8), edits: [edit])
      _ = tools.run(tool: "files.edit", request: (try? request.encoded()) ?? [])
    }
    #expect(folder.read("a") == (0..<8).map { "[\($0)]\n" }.joined())
  }

  // files.edit

  @Test func `edits are applied together and shown`() throws {
    try folder.write("a\nb\nc\n", to: "f")
    let edits = [
      Edit(oldText: bytes("a\n"), newText: bytes("A\n")),
      Edit(oldText: bytes("c"), newText: bytes("C")),
    ]
    let response: EditResponse = try call("files.edit", EditRequest(path: bytes("f"), edits: edits))
    #expect(folder.read("f") == "A\nb\nC\n")
    #expect(response.replacements == 2)
    #expect(response.sha256 == SHA256.hash(bytes("A\nb\nC\n")))
    #expect(response.diff.hasSuffix("@@ -1,3 +1,3 @@\n-a\n+A\n b\n-c\n+C\n"))
  }

  @Test func `one edit that fails leaves the file as it was`() throws {
    try folder.write("a\nb\n", to: "f")
    let edits = [Edit(oldText: bytes("a"), newText: bytes("A")), Edit(oldText: bytes("zzz"))]
    let error = try failure("files.edit", EditRequest(path: bytes("f"), edits: edits))
    #expect(error.code == "no_match")
    #expect(error.message.contains("edit 2") && error.message.contains("'f'"))
    #expect(folder.read("f") == "a\nb\n")
  }

  @Test func `an edit of a stale or missing file is refused`() throws {
    try folder.write("a", to: "f")
    let edit = Edit(oldText: bytes("a"), newText: bytes("b"))
    let stale = Precondition(condition: .sha256([1]))
    let request = EditRequest(path: bytes("f"), edits: [edit], ifMatch: stale)
    #expect(try failure("files.edit", request).code == "stale")
    let missing = EditRequest(path: bytes("g"), edits: [edit])
    #expect(try failure("files.edit", missing).code == "not_found")
  }

  // files.stat

  @Test func `a link is described, not followed`() throws {
    try folder.link("l", to: "/etc/passwd")
    let response: StatResponse = try call("files.stat", StatRequest(path: bytes("l"), digest: true))
    #expect(response.file?.type == .symlink)
    #expect(response.file?.linkTarget == bytes("/etc/passwd"))
    #expect(response.sha256.isEmpty)
    let root: StatResponse = try call("files.stat", StatRequest())
    #expect(root.file?.type == .directory)
  }
}

/// Runs `body` on a thread for each, and waits for all.
private func inParallel(
  _ count: Int,
  _ body: @escaping @Sendable (Int) -> Void
) async throws {
  let pool = WorkerPool(name: "writers", threads: count)
  defer { pool.close() }
  try await withThrowingTaskGroup(of: Void.self) { group in
    for index in 0..<count { group.addTask { try await pool.run { body(index) } } }
    try await group.waitForAll()
  }
}
