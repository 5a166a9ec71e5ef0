internal import CLinux
internal import EventLoop

/// What the kernel knows of a file without reading it.
package struct FileStatus: Equatable, Sendable {
  package enum Kind: Sendable { case regular, folder, link, other }

  package let kind: Kind
  package let bytes: UInt64
  /// Permission bits, with set-id and sticky bits.
  package let permissions: UInt32
  package let modifiedMicroseconds: Int64
  package let device: UInt64
  package let inode: UInt64
  package let modifiedNanoseconds: Int64
  /// When anything of it but its times of use was last changed. No program can set it.
  package let changedNanoseconds: Int64
  let owner: UInt32
  let group: UInt32

  /// Of an open file.
  init(of descriptor: Int32) throws(SystemError) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw SystemError("stat a file") }
    self.init(status)
  }

  /// Of a name in a folder, or `nil` when there is none. A symbolic link is not followed.
  init?(of name: [UInt8], in folder: Int32) throws(SystemError) {
    var status = stat()
    let name = PathBytes.terminated(name)
    guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      if gh_errno() == ENOENT { return nil }
      throw SystemError("stat a file")
    }
    self.init(status)
  }

  init(_ status: stat) {
    kind =
      if gh_is_regular(status.st_mode) != 0 {
        .regular
      } else if gh_is_folder(status.st_mode) != 0 {
        .folder
      } else if gh_is_symlink(status.st_mode) != 0 { .link } else { .other }
    bytes = UInt64(max(0, status.st_size))
    permissions = UInt32(status.st_mode) & 0o7777
    modifiedMicroseconds =
      Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1_000
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    modifiedNanoseconds = Self.nanoseconds(status.st_mtim)
    changedNanoseconds = Self.nanoseconds(status.st_ctim)
    owner = status.st_uid
    group = status.st_gid
  }

  /// It wraps: times are compared for being the same.
  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}
