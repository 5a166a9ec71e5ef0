internal import CSQLite

/// What SQLite refused, and the kernel's reason if it was the disk.
struct SQLiteError: Error, Equatable, CustomStringConvertible {
  /// An extended result code, `SQLITE_…`.
  let code: Int32
  /// errno of the system call that failed, 0 for none.
  let systemCode: Int32
  let message: String

  /// The code without its extension.
  var primary: Int32 { code & 0xff }

  var description: String { "\(message) (SQLite \(code), errno \(systemCode))" }
}

extension SQLiteError {
  /// The connection's last error.
  @unsafe init(_ code: Int32, of connection: OpaquePointer?) {
    self.code = code
    guard let connection = unsafe connection else {
      systemCode = 0
      message = "no memory"
      return
    }
    systemCode = unsafe gh_sqlite_errno(connection)
    message = unsafe sqlite3_errmsg(connection).map { unsafe String(cString: $0) } ?? ""
  }
}
