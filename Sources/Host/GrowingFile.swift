internal import CLinux
internal import Glibc
internal import Synchronization

/// A private file that one process writes at its end, piece by piece, as things happen.
///
/// What was appended outlives the process at once, and the machine some time later: nothing is synced
/// but by `sync`.
package final class GrowingFile: Sendable {
  package let path: String
  /// -1: nobody has needed it since it was closed.
  private let number: Mutex<Int32>

  /// Opens the file, and makes it where it is missing (mode 0600); what is behind `length` bytes goes.
  package init(_ path: String, length: Int) throws(HostError) {
    self.path = path
    let file = try Self.open(path)
    number = Mutex(file)
    guard ftruncate(file, length) == 0 else {
      let error = HostError(failed: "cannot cut \(path)")
      Glibc.close(file)
      number.withLock { $0 = -1 }
      throw error
    }
  }

  deinit { close() }

  private static func open(_ path: String) throws(HostError) -> Int32 {
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
    let file = unsafe Glibc.open(path, flags, 0o600)
    guard file >= 0 else { throw HostError(failed: "cannot write \(path)") }
    return file
  }

  /// Adds bytes at the end.
  package func append(_ bytes: [UInt8]) throws(HostError) {
    try use { (file) throws(HostError) in try file.writeAll(bytes) }
  }

  /// Returns when all of it is on disk, its name too.
  package func sync() throws(HostError) {
    try use { (file) throws(HostError) in
      guard fsync(file.number) == 0 else { throw HostError(failed: "cannot sync \(file.path)") }
    }
    try StateFolder.syncFolder(of: path)
  }

  /// Gives the descriptor back; the next `append` takes another.
  package func close() {
    number.withLock { number in
      if number >= 0 { Glibc.close(number) }
      number = -1
    }
  }

  private func use(_ body: (OpenFile) throws(HostError) -> Void) throws(HostError) {
    let result: Result<Void, HostError> = number.withLock { number in
      do throws(HostError) {
        if number < 0 { number = try Self.open(path) }
        return .success(try body(OpenFile(number: number, path: path)))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }
}
