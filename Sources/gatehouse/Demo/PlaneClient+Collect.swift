internal import Client
internal import SwiftProtobuf
internal import Synchronization
internal import Wire

extension PlaneClient {
  /// Runs a command to its end.
  ///
  /// - Returns: what it printed on both outputs.
  func collect(
    _ tool: String,
    in workspace: String,
    _ request: () -> some Message
  ) async throws -> [UInt8] {
    let output = Collected()
    var options = Execution.Options()
    options.write = { _, bytes in output.append(bytes) }
    var start = Gatehouse_Tools_V1_InvokeStart()
    start.workspace = workspace
    start.tool = tool
    start.request = try request().serializedBytes()
    start.acknowledges = true
    let exit = try await Execution(self, start, options).run()
    guard exit.outcome == .exited else { throw ClientError(ExitStatus(exit).message) }
    return output.bytes
  }
}

private final class Collected: Sendable {
  private let state = Mutex<[UInt8]>([])
  var bytes: [UInt8] { state.withLock { $0 } }
  func append(_ bytes: [UInt8]) { state.withLock { $0 += bytes } }
}
