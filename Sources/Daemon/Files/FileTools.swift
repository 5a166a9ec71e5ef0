package import DaemonWire
internal import Synchronization
package import Sandbox

/// The `files.*` tools of one workspace.
///
/// Every call blocks: run it on a thread pool. Reads run side by side; mutations have one order, so
/// that a check of `if_match` and the write after it are one step to every other call.
package struct FileTools: Sendable {
  let workspace: Workspace
  /// What one search may take; then it says where to go on.
  let searchTime: Duration
  /// Hears of each change, in their order, before the next one.
  let changed: @Sendable (ToolChange) -> Void

  /// What the calls of one workspace share.
  final class Workspace: Sendable {
    let root: Root
    private let order = Mutex(())

    init(root: consuming Root) { self.root = root }

    /// Runs one mutation, input and output included: whoever waits is on a pool's thread.
    func inOrder<Value>(
      _ mutation: () throws(ToolError) -> Value
    ) throws(ToolError) -> Value {
      try order.withLock { _ throws(ToolError) in try mutation() }
    }
  }

  package init(root: consuming Root, searchTime: Duration = .seconds(20)) {
    self.init(root: root, searchTime: searchTime) { _ in }
  }

  init(
    root: consuming Root,
    searchTime: Duration = .seconds(20),
    changed: @escaping @Sendable (ToolChange) -> Void
  ) {
    workspace = Workspace(root: root)
    self.searchTime = searchTime
    self.changed = changed
  }

  /// The tools by name, as a daemon lists them among its capabilities.
  package static let names = [
    "files.read", "files.write", "files.edit", "files.list", "files.search", "files.stat",
  ]

  /// Those that only look: to run one again does no harm.
  package static let idempotent = ["files.read", "files.list", "files.search", "files.stat"]

  /// Runs one tool: takes its request message, e.g. a `ReadRequest`, gives its response message, and what
  /// it changed.
  ///
  /// `cancellation` ends a long search, listing or digest early.
  package func perform(
    tool: String,
    request: [UInt8],
    cancellation: Cancellation = Cancellation()
  ) -> (result: Result<[UInt8], ToolError>, effects: Effects) {
    var mutation = Mutation()
    do throws(ToolError) {
      let response = try answer(tool, request, cancellation, &mutation)
      return (.success(response), mutation.effects)
    } catch {
      return (.failure(error), mutation.effects)
    }
  }

  /// The same without what it changed.
  package func run(
    tool: String,
    request: [UInt8],
    cancellation: Cancellation = Cancellation()
  ) -> Result<[UInt8], ToolError> {
    perform(tool: tool, request: request, cancellation: cancellation).result
  }

  private func answer(
    _ tool: String,
    _ request: [UInt8],
    _ cancellation: Cancellation,
    _ mutation: inout Mutation
  ) throws(ToolError) -> [UInt8] {
    switch tool {
    case "files.read": try encode(read(decode(request), cancellation))
    case "files.write": try encode(write(decode(request), cancellation, &mutation))
    case "files.edit": try encode(edit(decode(request), cancellation, &mutation))
    case "files.list": try encode(list(decode(request), cancellation))
    case "files.search": try encode(search(decode(request), cancellation))
    case "files.stat": try encode(stat(decode(request), cancellation))
    default:
      throw ToolError(
        .unknownTool,
        "no tool '\(tool)'; there are \(Self.names.joined(separator: ", "))"
      )
    }
  }

  private func decode<M: WireMessage>(_ bytes: [UInt8]) throws(ToolError) -> M {
    do {
      return try M(decoding: bytes)
    } catch {
      throw ToolError(.invalidArgument, "the request is no \(M.self): \(error)")
    }
  }

  private func encode(_ message: some WireMessage) throws(ToolError) -> [UInt8] {
    do {
      return try message.encoded()
    } catch {
      throw ToolError(.internal, "the response cannot be encoded: \(error)")
    }
  }
}
