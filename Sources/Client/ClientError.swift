package import RPC

/// Why a command failed: one line that names the thing and the remedy, and an exit code.
package struct ClientError: Error, Equatable, CustomStringConvertible {
  package let description: String
  package let exitCode: Int32

  package init(_ description: String, exitCode: Int32 = 1) {
    self.description = description
    self.exitCode = exitCode
  }

  /// What the plane answered.
  package init(_ status: RPCStatus, exitCode: Int32 = 1) {
    let text = status.message.isEmpty ? "the plane answered \(status.code.name)" : status.message
    self.init(text, exitCode: exitCode)
  }

  package func with(exitCode: Int32) -> ClientError {
    ClientError(description, exitCode: exitCode)
  }
}
