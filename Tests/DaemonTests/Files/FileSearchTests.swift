import DaemonWire
import EventLoop
import Glibc
import Sandbox
import TestSupport
import Testing

@testable import Daemon

/// `files.list` and `files.search`, called as the daemon calls them.
struct FileSearchTests: WithTestedTools {
  let tested: TestedTools

  init() throws { tested = try TestedTools() }

  private func makeTree() throws {
    for file in [
      "a/b", "a.c", "a/z/deep.c", ".hidden/x.c", "build/out.c", "d/keep.log", "d/drop.log",
    ] {
      try folder.write("needle\n", to: file)
    }
    try folder.write("build/\n*.log\n", to: ".gitignore")
    try folder.write("!keep.log\n", to: "d/.gitignore")
    try folder.write("x", to: ".git/config")
    try folder.link("out", to: "/etc")
  }

  private func list(_ request: ListFilesRequest) throws -> [String] {
    let response: ListFilesResponse = try call("files.list", request)
    return response.files.map { String(decoding: $0.path, as: UTF8.self) }
  }

  @Test func `a folder is listed in byte order, without what is hidden or ignored`() throws {
    try makeTree()
    #expect(try list(ListFilesRequest()) == ["a", "a.c", "d", "out"])
    #expect(
      try list(ListFilesRequest(recursive: true)) == [
        "a", "a.c", "a/b", "a/z", "a/z/deep.c", "d", "d/keep.log", "out",
      ]
    )
    #expect(
      try list(ListFilesRequest(path: bytes("./d/"), recursive: true, includeIgnored: true)) == [
        "d/drop.log", "d/keep.log",
      ]
    )
    #expect(try list(ListFilesRequest(path: bytes("d"))) == ["d/keep.log"])
  }

  @Test func `globs see the path below the folder`() throws {
    try makeTree()
    #expect(try list(ListFilesRequest(recursive: true, globs: ["*.c"])) == ["a.c", "a/z/deep.c"])
    #expect(
      try list(ListFilesRequest(path: bytes("a"), recursive: true, globs: ["z/*"])) == [
        "a/z/deep.c"
      ]
    )
  }

  @Test(arguments: [1, 2, 3]) func `a listing goes on where it stopped`(pageSize: UInt32) throws {
    try makeTree()
    var request = ListFilesRequest(recursive: true, includeHidden: true, includeIgnored: true)
    let all = try list(request)
    #expect(all.count > 10)
    request.maxEntries = pageSize
    var found: [String] = []
    repeat {
      let page: ListFilesResponse = try call("files.list", request)
      #expect(page.files.count <= Int(pageSize))
      found += page.files.map { String(decoding: $0.path, as: UTF8.self) }
      request.continuation = page.continuation
    } while !request.continuation.isEmpty
    #expect(found == all)
  }

  private func search(_ request: SearchRequest) throws -> SearchResponse {
    try call("files.search", request)
  }

  @Test func `matching lines come with place and context`() throws {
    try folder.write("one\ntwo\nsay Needle\r\nfour\n", to: "x")
    let response = try search(SearchRequest(pattern: #"n\w+le"#, ignoreCase: true, contextLines: 1))
    #expect(
      response.matches == [
        SearchMatch(
          path: bytes("x"),
          line: 3,
          column: 5,
          text: bytes("say Needle"),
          before: [bytes("two")],
          after: [bytes("four")]
        )
      ]
    )
    #expect(response.filesSearched == 1)
    #expect(try search(SearchRequest(path: bytes("x"), pattern: "two$")).matches.count == 1)
  }

  @Test func `hidden, ignored, binary and huge files are left out`() throws {
    try makeTree()
    try folder.write("needle\0", to: "bin")
    let huge = folder.path + "/huge"
    let file = unsafe fopen(huge, "w")
    try #require(unsafe file != nil)
    unsafe fclose(file)
    #expect(unsafe truncate(huge, 17 << 20) == 0)
    let response = try search(SearchRequest(pattern: "needle"))
    #expect(
      response.matches.map { String(decoding: $0.path, as: UTF8.self) } == [
        "a.c", "a/b", "a/z/deep.c", "d/keep.log",
      ]
    )
    #expect(response.filesSkipped == 2)
    #expect(
      try search(SearchRequest(pattern: "needle", globs: ["*.c"], includeIgnored: true)).matches
        .count == 3
    )
  }

  @Test(arguments: [1, 2, 3]) func `a search goes on where it stopped`(pageSize: UInt32) throws {
    for file in ["a", "b/c", "b.d"] { try folder.write("x\nneedle\nneedle\nneedle", to: file) }
    var request = SearchRequest(pattern: "needle", maxMatches: pageSize)
    var found: [String] = []
    repeat {
      let page = try search(request)
      found += page.matches.map { "\(String(decoding: $0.path, as: UTF8.self)):\($0.line)" }
      request.continuation = page.continuation
    } while !request.continuation.isEmpty
    #expect(found == ["a", "b.d", "b/c"].flatMap { file in (2...4).map { "\(file):\($0)" } })
  }

  @Test func `a search without time goes on line by line to its end`() throws {
    for file in ["a", "b/c", "b.d"] { try folder.write("x\nneedle\nneedle", to: file) }
    let tools = FileTools(root: try Root(folder.path), searchTime: .zero)
    var request = SearchRequest(pattern: "needle")
    var found: [String] = []
    var pages = 0
    repeat {
      let answer = tools.run(tool: "files.search", request: try request.encoded())
      let page = try SearchResponse(decoding: try answer.get())
      found += page.matches.map { "\(String(decoding: $0.path, as: UTF8.self)):\($0.line)" }
      request.continuation = page.continuation
      pages += 1
      try #require(pages < 100, "it does not get on")
    } while !request.continuation.isEmpty
    #expect(found == ["a", "b.d", "b/c"].flatMap { file in (2...3).map { "\(file):\($0)" } })
    #expect(pages > 3)
  }

  @Test(arguments: ["-5", "-9223372036854775808", "9223372036854775808", "", "x"])
  func `a continuation from nowhere is refused`(line: String) throws {
    try folder.write("a\na\n", to: "f")
    let request = SearchRequest(pattern: "a", continuation: bytes("f\0\(line)"))
    #expect(try failure("files.search", request).code == "invalid_argument")
  }

  @Test func `long lines and many matches stay within one response`() throws {
    let line = "needle" + String(repeating: "x", count: 5_000) + "\n"
    try folder.write(String(repeating: line, count: 2_000), to: "a")
    let request = SearchRequest(pattern: "needle", contextLines: 10, maxMatches: 2_000)
    let response = try search(request)
    #expect(response.matches.allSatisfy { $0.text.count == 1_024 })
    #expect(try response.encoded().count < 900 << 10)
    #expect(!response.continuation.isEmpty)
  }

  @Test func `a pattern that is none, or nothing, is refused`() throws {
    let error = try failure("files.search", SearchRequest(pattern: "(a"))
    #expect(error.code == "invalid_argument")
    #expect(error.message.contains("literal"))
    #expect(try failure("files.search", SearchRequest()).code == "invalid_argument")
    #expect(
      try failure("files.search", SearchRequest(pattern: "x", contextLines: 11)).code
        == "invalid_argument"
    )
    #expect(
      try failure("files.search", SearchRequest(pattern: "x", continuation: [1])).code
        == "invalid_argument"
    )
  }

  @Test func `a pattern that hits its limit is said so`() throws {
    try folder.write(String(repeating: "a", count: 60) + "!", to: "a")
    #expect(try search(SearchRequest(pattern: "^(a+)+$")).limited)
  }

  @Test func `a cancelled call stops`() throws {
    try makeTree()
    let cancellation = Cancellation()
    cancellation.cancel()
    let request = try SearchRequest(pattern: "needle").encoded()
    let answer = tools.run(tool: "files.search", request: request, cancellation: cancellation)
    guard case .failure(let error) = answer else {
      Issue.record("it went on")
      return
    }
    #expect(error.code == "unavailable")
  }
}
