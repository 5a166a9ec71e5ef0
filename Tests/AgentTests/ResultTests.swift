import FoundationEssentials
import SwiftProtobuf
import Testing
import Wire

@testable import Agent

@Suite struct ResultTests {
  @Test(arguments: [0, 1, 32 * 1024])
  func `a result within the bound is shown whole`(size: Int) {
    let text = String(repeating: "x", count: size)
    #expect(Clip.text(KeptOutput(text), call: "c1") == text)
  }

  @Test func `a long result says what is cut and how to read it`() throws {
    let output = KeptOutput(String(repeating: "é", count: 40_000))
    let text = Clip.text(output, call: "c7")
    #expect(text.contains("[47232 of 80000 bytes are left out here;"))
    #expect(text.contains(#"output.read {"call":"c7","offset":16384}"#))
    #expect(!text.contains("\u{FFFD}"))
  }

  @Test func `the rest of a result is read to its end`() {
    let all = (0..<20_000).map { "\($0)\n" }.joined()
    let output = KeptOutput(all)
    var read = ""
    var offset = 0
    while offset < output.total {
      let part = Clip.range(OutputRange(call: "c1", offset: offset, maxBytes: 1000), of: output)
      let body = part.split(separator: "]\n", maxSplits: 1).last.map(String.init) ?? ""
      read += body
      offset += body.utf8.count
    }
    #expect(read == all)
  }

  @Test func `what is kept of a huge result is bounded, and the gap is told`() {
    var output = KeptOutput(limit: 2000)
    for index in 0..<10_000 { output.append(Array("\(index % 10)".utf8)) }
    #expect(output.total == 10_000)
    let text = Clip.range(OutputRange(call: "c1", offset: 999, maxBytes: 2), of: output)
    #expect(text.hasPrefix("[bytes 999 to 1000 of 10000; go on at offset 1000]"))
    let next = Clip.range(OutputRange(call: "c1", offset: 1000, maxBytes: 2), of: output)
    #expect(next.contains("were not kept"))
    let last = Clip.range(OutputRange(call: "c1", offset: -3, maxBytes: 9), of: output)
    #expect(last.hasSuffix("that is the end]\n789"))
  }

  @Test(arguments: [0, 1, UInt64(Int.max), UInt64(Int.max) + 1, .max])
  func `numbers that no file has change nothing but the text`(number: UInt64) throws {
    let read = Gatehouse_Tools_V1_ReadResponse.with {
      $0.content = Data("a\nb\n".utf8)
      $0.firstLine = number
      $0.totalLines = number
      $0.offset = number
      $0.totalBytes = number
      $0.truncated = true
    }
    let search = Gatehouse_Tools_V1_SearchResponse.with {
      $0.filesSearched = number
      $0.matches = [
        .with {
          $0.path = Data("f".utf8)
          $0.line = number
          $0.column = .max
          $0.text = Data("match".utf8)
          $0.before = [Data("before".utf8)]
          $0.after = [Data("after".utf8), Data("after".utf8)]
        }
      ]
    }
    let stat = Gatehouse_Tools_V1_StatResponse.with {
      $0.file.bytes = number
      $0.file.mode = .max
      $0.file.modifiedUnixUs = .min
    }
    let write = Gatehouse_Tools_V1_WriteResponse.with { $0.totalBytes = number }
    let edit = Gatehouse_Tools_V1_EditResponse.with {
      $0.totalBytes = number
      $0.replacements = .max
    }
    let answers: [(String, any SwiftProtobuf.Message)] = [
      ("files.read", read), ("files.search", search), ("files.stat", stat), ("files.write", write),
      ("files.edit", edit),
    ]
    for (tool, answer) in answers {
      let bytes = Data(try answer.serializedBytes() as [UInt8])
      #expect(FileResponses.text(bytes, tool: tool).text.count > 10, "\(tool)")
    }
  }

  private func result(
    _ tool: String,
    output: String = "",
    _ fill: (inout Gatehouse_Tools_V1_Exit) -> Void
  ) -> CallResult {
    var kept = KeptOutput(output)
    return ResultRendering.result(of: .with(fill), tool: tool, call: "c1", output: &kept)
  }

  @Test func `a command's result has its exit code and output`() {
    let result = result("process.exec", output: "out") {
      $0.outcome = .exited
      $0.code = 3
    }
    #expect(result.text == "exit code 3\nout")
    #expect(result.error == "exit code 3")
  }

  @Test func `a file tool's error has its code, message and digest`() {
    let result = result("files.edit") {
      $0.outcome = .exited
      $0.code = 1
      $0.error.code = "stale"
      $0.error.message = "changed"
      $0.error.currentSha256 = Data([0xAB])
    }
    #expect(result.text == "error: stale: changed; its sha256 is now ab")
  }

  @Test func `an edit's result has its diff`() throws {
    let response = Gatehouse_Tools_V1_EditResponse.with {
      $0.replacements = 1
      $0.diff = "-a\n+b\n"
    }
    let bytes: Data = try response.serializedBytes()
    let result = result("files.edit") {
      $0.outcome = .exited
      $0.response = bytes
    }
    #expect(result.diff == "-a\n+b\n")
    #expect(result.text.contains("1 replaced"))
  }

  @Test(arguments: [
    (Gatehouse_Tools_V1_Outcome.lost, "lost"), (.cancelled, "cancelled"), (.timedOut, "too long"),
    (.signalled, "signal"), (.refused, "refused"), (.spawnFailed, "could not be started"),
  ])
  func `every outcome is told apart`(outcome: Gatehouse_Tools_V1_Outcome, word: String) {
    let result = result("process.exec", output: "so far") { $0.outcome = outcome }
    #expect(result.text.contains(word))
    #expect(result.text.hasSuffix("so far"))
    #expect(!result.error.isEmpty)
  }

  @Test func `a read tells its lines and digest`() throws {
    let bytes: Data = try Gatehouse_Tools_V1_ReadResponse.with {
      $0.content = Data("b\nc\n".utf8)
      $0.firstLine = 2
      $0.totalLines = 9
      $0.sha256 = Data([1])
      $0.truncated = true
    }.serializedBytes()
    let text = FileResponses.text(bytes, tool: "files.read").text
    #expect(text == "[lines 2 to 3 of 9; sha256 01; go on at first_line 4]\nb\nc\n")
  }
}
