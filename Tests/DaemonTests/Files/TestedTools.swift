import DaemonWire
import EventLoop
import Sandbox
import TestSupport

@testable import Daemon

/// The file tools of one workspace in a temporary folder.
struct TestedTools {
  let folder: TemporaryFolder
  let tools: FileTools

  init() throws {
    folder = try TemporaryFolder()
    tools = FileTools(root: try Root(folder.path))
  }
}

/// A suite whose tests call these tools as the daemon calls them.
protocol WithTestedTools {
  var tested: TestedTools { get }
}

extension WithTestedTools {
  var folder: TemporaryFolder { tested.folder }
  var tools: FileTools { tested.tools }

  func call<Response: WireMessage>(
    _ tool: String,
    _ request: some WireMessage,
    _ cancellation: Cancellation = Cancellation()
  ) throws -> Response {
    let answer = tools.run(tool: tool, request: try request.encoded(), cancellation: cancellation)
    return try Response(decoding: try answer.get())
  }

  func failure(_ tool: String, _ request: some WireMessage) throws -> ToolError {
    let answer = tools.run(tool: tool, request: try request.encoded())
    guard case .failure(let error) = answer else {
      throw ToolError(.internal, "\(tool) did not fail")
    }
    return error
  }

  func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
}
