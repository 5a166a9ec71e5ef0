internal import CSQLite
internal import Glibc
internal import Host

/// Why the ledger did not do something. Names the thing and the remedy; holds nothing of any event.
package struct LedgerError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Code: Sendable, Equatable {
    /// The disk has no room.
    case full
    /// The disk fails, or may not be written.
    case failing
    /// The file is not what a ledger wrote.
    case damaged
    /// A newer program wrote it.
    case newer
    /// Another process writes to it now.
    case taken
    case closed
    /// The bodies of this chat were erased; it takes no more.
    case erased
    /// Its end, as a checkpoint outside has seen it, is missing.
    case cut
    case invalid
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

extension LedgerError {
  /// Runs `body`, and says what the machine said of a file.
  static func ofHost<Value>(_ body: () throws(HostError) -> Value) throws(LedgerError) -> Value {
    do {
      return try body()
    } catch {
      throw LedgerError(.failing, error.description)
    }
  }

  /// Runs `body` on the file at `path`, and says what SQLite said of it.
  static func of<Value: ~Copyable>(
    _ path: String,
    _ body: () throws(SQLiteError) -> Value
  ) throws(LedgerError) -> Value {
    do {
      return try body()
    } catch {
      throw LedgerError(error, path)
    }
  }

  /// What SQLite said of the file at `path`.
  init(_ error: SQLiteError, _ path: String) {
    switch (error.primary, error.systemCode) {
    case (SQLITE_FULL, _), (SQLITE_IOERR, ENOSPC), (SQLITE_IOERR, EDQUOT), (SQLITE_IOERR, EFBIG):
      self.init(
        .full,
        "the ledger \(path) cannot grow: its disk is full, or a quota reached; make room there, "
          + "and it goes on by itself"
      )
    case (SQLITE_CORRUPT, _), (SQLITE_NOTADB, _):
      self.init(
        .damaged,
        "the ledger \(path) is damaged (\(error)); keep the file, restore a copy, and compare both "
          + "with: gatehouse audit verify"
      )
    case (SQLITE_BUSY, _), (SQLITE_LOCKED, _):
      self.init(.taken, "another process holds the ledger \(path); stop it, and try again")
    default:
      self.init(
        .failing,
        "the ledger \(path) cannot be read or written (\(error)); see to its disk and permissions; "
          + "it is tried again each second"
      )
    }
  }
}
