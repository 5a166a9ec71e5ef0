internal import Calls
internal import Crypto
package import Identity
internal import RPC

/// What someone wants done: one tool, in one workspace.
package struct CallOrder: Sendable {
  package let principal: Principal
  /// An id, or a name of the principal's.
  package let workspace: String
  package let tool: String
  /// The tool's request message, as it came.
  package internal(set) var request: [UInt8]
  /// From acceptance; nil for the default.
  package var timeout: Duration?
  /// Empty for none.
  package var idempotencyKey = ""
  /// The call outlives the stream or task that asked for it.
  package var isDetached = false
  /// Its output is kept on disk, where the broker has one: `LOG_RULE_KEEP`.
  package var isKept = false
  /// Of a chat's call, where in the chat.
  package var origin: CallOrigin?
  /// The owner says what it has taken; else what was handed over counts.
  package var acknowledges = false
  /// The owner comes back when its connection is cut, and acknowledges all output, to the end.
  package var resumes = false
  /// For how long it tries to; nil: nobody knows.
  package var grace: Duration?
  /// The owner has output of the call, so it is not a new one.
  package var hasOutput = false

  package init(principal: Principal, workspace: String, tool: String, request: [UInt8]) {
    self.principal = principal
    self.workspace = workspace
    self.tool = tool
    self.request = request
  }

  /// SHA-256 of tool and request; see `RequestDigest`.
  package var digest: [UInt8] {
    var hash = SHA256()
    hash.update(RequestDigest.header(tool: tool).span)
    hash.update(request.span)
    return hash.finish()
  }

  func validate(_ options: BrokerOptions) throws(RPCStatus) {
    guard (1...128).contains(tool.utf8.count), !tool.utf8.contains(0) else {
      throw RPCStatus(.invalidArgument, "the tool's name has 1 to 128 bytes and no NUL")
    }
    guard idempotencyKey.utf8.count <= 64 else {
      throw RPCStatus(.invalidArgument, "an idempotency key has at most 64 bytes")
    }
    guard !resumes || (acknowledges && !idempotencyKey.isEmpty) else {
      throw RPCStatus(.invalidArgument, "`resumes` needs `acknowledges` and an idempotency key")
    }
    guard (grace ?? .zero) <= options.longestGrace else {
      let most = options.longestGrace.components.seconds
      throw RPCStatus(.invalidArgument, "a call waits for its owner for \(most) seconds at most")
    }
    guard (timeout ?? .zero) <= options.longestTimeout else {
      let most = options.longestTimeout.components.seconds
      throw RPCStatus(.invalidArgument, "a call may take \(most) seconds at most")
    }
  }
}
