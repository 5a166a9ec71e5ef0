import DaemonWire
import EventLoop
import FoundationEssentials
import Glibc
import Sandbox
import TestSupport
import Testing

@testable import Daemon

/// Files that are no ordinary text: too large to read, or nothing to read from.
@Suite(.timeLimit(.minutes(1))) struct OddFilesTests: WithTestedTools {
  let tested: TestedTools

  init() throws { tested = try TestedTools() }

  /// A terabyte that takes no room: to read it would take minutes.
  private func makeHuge() throws -> [UInt8] {
    try folder.write("", to: "huge")
    let code = unsafe truncate(folder.path + "/huge", 1 << 40)
    try #require(code == 0)
    return Array("huge".utf8)
  }

  @Test func `a huge file has no digest, and none is waited for`() throws {
    let request = StatRequest(path: try makeHuge(), digest: true)
    let response: StatResponse = try call("files.stat", request)
    #expect(response.file?.bytes == 1 << 40)
    #expect(response.sha256.isEmpty)
    try folder.write("x", to: "small")
    let small = StatRequest(path: Array("small".utf8), digest: true)
    let digest: StatResponse = try call("files.stat", small)
    #expect(digest.sha256.count == 32)
  }

  @Test func `lines of a huge file are not counted`() throws {
    let lines = LineRange(first: 1, last: 2)
    let request = ReadRequest(path: try makeHuge(), range: .lines(lines))
    let error = try failure("files.read", request)
    #expect(error.code == "too_large")
    #expect(error.message.contains("read a range of bytes"))
    let range = ReadRequest(
      path: Array("huge".utf8),
      range: .bytes(ByteRange(offset: 1 << 39, length: 3))
    )
    let part: ReadResponse = try call("files.read", range)
    #expect(part.content == [0, 0, 0])
  }

  @Test func `a huge file is replaced, but not by its digest`() throws {
    var request = WriteRequest(path: try makeHuge(), content: [1])
    request.ifMatch = Precondition(condition: .sha256([UInt8](repeating: 0, count: 32)))
    let refused = try failure("files.write", request)
    #expect(refused.code == "too_large")
    #expect(refused.message.contains("if_match"))
    request.ifMatch = nil
    let response: WriteResponse = try call("files.write", request)
    #expect(!response.created)
    #expect(folder.read("huge") == "\u{1}")
  }

  @Test func `a huge file is not edited`() throws {
    let edit = Edit(oldText: [1], newText: [2])
    let request = EditRequest(path: try makeHuge(), edits: [edit])
    #expect(try failure("files.edit", request).code == "too_large")
  }

  @Test func `what is no regular file is named, whatever it is`() throws {
    let code = unsafe mkfifo(folder.path + "/fifo", 0o600)
    try #require(code == 0)
    let socket = try ControlSocket.listening(in: StateFolder(folder.path), named: "socket")
    for name in ["fifo", "socket"] {
      let error = try failure("files.read", ReadRequest(path: bytes(name)))
      #expect(error.code == "unsupported")
      #expect(error.message == "'\(name)' is no regular file; use a command to handle it")
    }
    _ = consume socket
  }
}
