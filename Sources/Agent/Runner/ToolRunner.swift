package import Wire

/// Runs tools in one workspace.
package protocol ToolRunner: Sendable {
  /// Runs one call and returns when it has ended for good. Cancelling the task cancels the call;
  /// even then it returns only once the end is confirmed, or lost.
  ///
  /// What could not be started comes back as an `Exit` with outcome `refused`.
  func run(
    _ request: ToolRequest,
    deliver: @Sendable (ToolEvent) async -> Void
  ) async -> Gatehouse_Tools_V1_Exit
}

/// What happens while a call runs.
package enum ToolEvent: Sendable, Equatable {
  /// The plane took the call. Comes first.
  case accepted(callID: String)
  /// With its offset in what the tool wrote to the stream.
  case output(Gatehouse_Tools_V1_Stream, offset: UInt64, [UInt8])
  /// So many bytes of output are lost.
  case gap(Int)
}
