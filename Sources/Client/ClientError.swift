package import RPC

/// Why a command failed: one line that names the thing and the remedy, and an exit code.
package struct ClientError: Error, Equatable, CustomStringConvertible {
  package let description: String
  package let exitCode: Int32
  /// The connection was cut, or the plane is stopping: another may do better.
  package let isCut: Bool

  package init(_ description: String, exitCode: Int32 = 1, isCut: Bool = false) {
    self.description = description
    self.exitCode = exitCode
    self.isCut = isCut
  }

  /// What the plane answered.
  package init(_ status: RPCStatus, exitCode: Int32 = 1) {
    let text = status.message.isEmpty ? "the plane answered \(status.code.name)" : status.message
    let remedy = status.remedy(dialling: "").map { "; \($0)" } ?? ""
    self.init(text + remedy, exitCode: exitCode, isCut: status.code == .unavailable)
  }

  package func with(exitCode: Int32) -> ClientError {
    ClientError(description, exitCode: exitCode, isCut: isCut)
  }
}
