import Agent
import FoundationEssentials
import Providers
import SwiftProtobuf
import Testing
import Wire

@Suite struct ToolCatalogTests {
  private func plan(_ tool: String, _ arguments: String) -> PlannedAction {
    ToolCatalog().plan(ModelCall(id: "1", tool: tool, arguments: arguments))
  }

  private func request(_ tool: String, _ arguments: String) throws -> ToolRequest {
    let action = plan(tool, arguments)
    guard case .run(let request) = action else {
      throw Mismatch(action: action)
    }
    return request
  }

  struct Mismatch: Error { let action: PlannedAction }

  @Test func `a command becomes its request`() throws {
    let request = try request(
      "process.exec",
      #"{"argv":["ls","-l"],"cwd":"src","environment":{"A":"1"},"timeout_seconds":5}"#
    )
    let message = try Gatehouse_Tools_V1_ExecRequest(serializedBytes: request.request)
    #expect(message.argv == [Data("ls".utf8), Data("-l".utf8)])
    #expect(message.cwd == Data("src".utf8))
    #expect(message.environment.map(\.name) == ["A"])
    #expect(request.timeout == .seconds(5))
    #expect(request.summary == "$ ls -l")
  }

  @Test func `an edit becomes its request`() throws {
    let digest = String(repeating: "0f", count: 32)
    let request = try request(
      "files.edit",
      #"{"path":"a","edits":[{"old_text":"x","new_text":"y"}],"if_match":"\#(digest)"}"#
    )
    let message = try Gatehouse_Tools_V1_EditRequest(serializedBytes: request.request)
    #expect(message.path == Data("a".utf8))
    #expect(message.edits.map(\.newText) == [Data("y".utf8)])
    #expect(message.ifMatch.sha256 == Data(repeating: 0x0F, count: 32))
  }

  @Test func `null stands for an argument left out`() throws {
    let request = try request("files.list", #"{"path":null,"recursive":true}"#)
    let message = try Gatehouse_Tools_V1_ListFilesRequest(serializedBytes: request.request)
    #expect(message.path.isEmpty)
    #expect(message.recursive)
  }

  @Test(arguments: [
    ("process.exe", "{}", "no tool 'process.exe'"),
    ("process.exec", "", "not valid JSON"),
    ("process.exec", #"{"argv":["a"]"#, "not valid JSON"),
    ("process.exec", "[]", "must be a JSON object"),
    ("process.exec", "{}", "needs the argument 'argv'"),
    ("process.exec", #"{"argv":[]}"#, "must begin with the program"),
    ("process.exec", #"{"argv":"ls"}"#, "'argv' must be an array"),
    ("process.exec", #"{"argv":[1]}"#, "'argv[0]' must be a string, not a number"),
    ("process.exec", #"{"argv":["a"],"argv":["b"]}"#, "\"argv\" a second time"),
    ("process.exec", #"{"argv":["a"],"shell":true}"#, "no argument 'shell'"),
    ("process.exec", #"{"argv":["a"],"timeout_seconds":0}"#, "between 1 and 3600"),
    ("files.read", #"{"path":"a\u0000b"}"#, "NUL"),
    ("files.edit", #"{"path":"a","edits":[]}"#, "'edits' is empty"),
    ("files.edit", #"{"path":"a","edits":[{"old_text":"x"}]}"#, "'new_text'"),
    (
      "files.edit",
      #"{"path":"a","edits":[{"old_text":"x","new_text":"y","regex":true}]}"#, "not 'regex'"
    ),
    ("files.write", #"{"path":"a","content":"","if_match":"xyz"}"#, "64 hexadecimal digits"),
  ])
  func `what can't be used is told to the model`(tool: String, arguments: String, reason: String) {
    guard case .refuse(let message) = plan(tool, arguments) else {
      Issue.record("taken")
      return
    }
    #expect(message.contains(reason))
  }

  @Test func `every tool has a schema with its required arguments`() {
    let tools = ToolCatalog().modelTools
    #expect(tools.count == 9)
    for tool in tools {
      let properties = tool.schema["properties"]?.members?.map(\.key) ?? []
      let required = tool.schema["required"]?.array?.compactMap(\.string) ?? []
      #expect(required.allSatisfy { properties.contains($0) })
    }
  }

  @Test func `tools that the workspace lacks are not offered`() {
    let catalog = ToolCatalog(available: ["files.read", "exotic.tool"])
    #expect(catalog.modelTools.map(\.name) == ["files.read", "output.read"])
  }
}
