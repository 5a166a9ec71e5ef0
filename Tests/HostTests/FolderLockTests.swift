internal import Glibc
import Testing

@testable import Host

@Suite struct `Folder lock` {
  @Test func `it is free once let go, although another descriptor shares the file`() throws {
    let temporary = try TemporaryFolder()
    let folder = try StateFolder(temporary.path)
    var lock: FolderLock? = try FolderLock(folder)
    // As a child between fork and exec does.
    let shared = try #require(sharedDescriptor(of: folder.path(of: "lock")))
    lock = nil
    #expect(throws: Never.self) { _ = try FolderLock(folder) }
    _ = lock
    close(shared)
  }

  /// A second close of the refused one's file would trap: it could be another thread's by then.
  @Test func `who is refused closes its file once, and the holder keeps the lock`() throws {
    let temporary = try TemporaryFolder()
    let folder = try StateFolder(temporary.path)
    let lock = try FolderLock(folder)
    for _ in 0..<2 {
      #expect {
        _ = try FolderLock(folder)
      } throws: { "\($0)".hasPrefix("a plane already runs on \(folder.path); ") }
    }
    _ = consume lock
    #expect(throws: Never.self) { _ = try FolderLock(folder) }
  }

  /// A duplicate of the descriptor that is open on `path` in this process.
  private func sharedDescriptor(of path: String) -> Int32? {
    for number in Int32(3)..<65_536 {
      var target = [CChar](repeating: 0, count: 4_096)
      let count = unsafe readlink("/proc/self/fd/\(number)", &target, target.count - 1)
      guard count > 0 else { continue }
      let name = String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if name == path { return dup(number) }
    }
    return nil
  }
}
