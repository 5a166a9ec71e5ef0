internal import Glibc
internal import Testing

@testable internal import Host

/// A folder below the temporary one, removed with the value.
final class TemporaryFolder {
  let path: String
  let parent: String

  init() throws(HostError) {
    parent = "\(ThisProcess.variable("TMPDIR") ?? "/tmp")"
    path = "\(parent)/gatehouse-host-\(getpid())-\(UInt64.random(in: 0 ... .max))"
  }

  deinit {
    let name = String(path.dropFirst(parent.count + 1))
    guard let folder = try? StateFolder(path) else { return }
    try? folder.removeFolder("../\(name)")
  }
}

@Suite struct `The state folder` {
  private let temporary: TemporaryFolder
  private let folder: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    folder = try StateFolder(temporary.path + "/a/b/")
  }

  private func mode(_ path: String) throws -> UInt32 {
    var status = stat()
    try #require(unsafe stat(path, &status) == 0)
    return status.st_mode & 0o777
  }

  @Test func `it is made with its parents, for its account alone`() throws {
    #expect(folder.path == temporary.path + "/a/b")
    #expect(try mode(folder.path) == 0o700)
  }

  @Test func `an empty folder that was open is made private`() throws {
    try #require(unsafe chmod(folder.path, 0o755) == 0)
    _ = try StateFolder(folder.path)
    #expect(try mode(folder.path) == 0o700)
  }

  @Test func `a plane's folder that was opened is made private`() throws {
    try folder.write([], to: "lock")
    try folder.makeFolder("pki")
    try #require(unsafe chmod(folder.path, 0o755) == 0)
    _ = try StateFolder(folder.path)
    #expect(try mode(folder.path) == 0o700)
  }

  @Test func `an open folder with other things in it is left as it is, with the remedy`() throws {
    try folder.write([1], to: "photo.jpg")
    try #require(unsafe chmod(folder.path, 0o755) == 0)
    let path = folder.path
    #expect {
      _ = try StateFolder(path)
    } throws: {
      "\($0)".hasPrefix("\(path) is open to other accounts")
        && "\($0)".contains("chmod 700 '\(path)'")
    }
    #expect(try mode(path) == 0o755)
  }

  @Test func `the end of a file that grows can be read alone`() throws {
    try folder.write(Array("first\nlast\n".utf8), to: "log")
    #expect(try folder.readEnd(of: "log", maxBytes: 5) == Array("last\n".utf8))
    #expect(try folder.readEnd(of: "log", maxBytes: 500) == Array("first\nlast\n".utf8))
    #expect(try folder.readEnd(of: "none", maxBytes: 5) == nil)
  }

  @Test func `a log is cut when it is too large`() throws {
    try folder.write([1, 2, 3, 4], to: "log")
    try folder.trimLog("log", maxBytes: 4)
    #expect(try folder.read("log") == [1, 2, 3, 4])
    try folder.trimLog("log", maxBytes: 3)
    #expect(try folder.read("log") == [4])
    try folder.trimLog("none", maxBytes: 3)
  }

  @Test func `a file that is not there is nil`() throws {
    #expect(try folder.read("none") == nil)
    #expect(!folder.exists("none"))
  }

  @Test func `a file is replaced as a whole and is private`() throws {
    try folder.write([1, 2, 3], to: "file")
    try folder.write([4], to: "file")
    #expect(try folder.read("file") == [4])
    #expect(try mode(folder.path(of: "file")) == 0o600)
    #expect(try folder.readSecret("file") == [4])
  }

  @Test func `a secret that others may read is refused with the remedy`() throws {
    try folder.write([1], to: "key", mode: 0o644)
    let path = folder.path(of: "key")
    #expect {
      try folder.readSecret("key")
    } throws: { error in
      "\(error)" == "\(path) may be read by other accounts; run: chmod 600 '\(path)'"
    }
  }

  @Test func `a file too large, a folder or a link is no file to read`() throws {
    try folder.write([1, 2, 3], to: "file")
    #expect(throws: HostError.self) { try folder.read("file", maxBytes: 2) }
    try folder.makeFolder("inner")
    #expect(throws: HostError.self) { try folder.read("inner") }
    try #require(unsafe symlink(folder.path(of: "file"), folder.path(of: "link")) == 0)
    #expect(throws: HostError.self) { try folder.read("link") }
  }

  @Test func `removing a folder spares what its links point to`() throws {
    try folder.write([1], to: "kept")
    try folder.makeFolder("tree/deep")
    try folder.write([2], to: "tree/deep/file")
    try #require(unsafe symlink(folder.path, folder.path(of: "tree/deep/link")) == 0)
    try #require(unsafe chmod(folder.path(of: "tree/deep"), 0o500) == 0)
    try folder.removeFolder("tree")
    #expect(!folder.exists("tree"))
    #expect(try folder.read("kept") == [1])
    try folder.removeFolder("tree")
  }

  @Test func `one may hold the lock at a time`() throws {
    do {
      let lock = try FolderLock(folder)
      #expect(throws: HostError.self) { _ = try FolderLock(folder) }
      _ = lock
    }
    _ = try FolderLock(folder)
  }
}

@Suite struct `Detached processes` {
  private let temporary: TemporaryFolder
  private let folder: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    folder = try StateFolder(temporary.path)
  }

  private func start(_ script: String) throws -> DetachedProcess {
    try .start(
      "/bin/sh",
      ["-c", script],
      environment: ["ONLY=this"],
      log: folder.path(of: "log")
    )
  }

  private func waitForEnd(_ process: DetachedProcess) -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while process.isRunning {
      guard ContinuousClock.now < end else { return false }
      sched_yield()
    }
    return true
  }

  @Test(.timeLimit(.minutes(5)))
  func `it has the environment it was given, and its output is in the log`() throws {
    // It stays until told: one that ends before it was looked at counts as not started.
    let go = folder.path(of: "go")
    let script = "echo \"$ONLY$HOME\"; echo err >&2; until [ -e '\(go)' ]; do :; done"
    let process = try start(script)
    try folder.write([], to: "go")
    #expect(waitForEnd(process))
    let log = try #require(try folder.read("log"))
    #expect(String(decoding: log, as: UTF8.self) == "this\nerr\n")
  }

  @Test(.timeLimit(.minutes(5)))
  func `it leads a session of its own and ends when asked`() throws {
    let process = try start("while :; do sleep 10; done")
    #expect(process.isRunning)
    #expect(getsid(process.pid) == process.pid)
    process.kill()
    #expect(waitForEnd(process))
  }

  @Test func `the same process id at another time is another process`() throws {
    let own = DetachedProcess(pid: getpid(), startTime: 1)
    #expect(!own.isRunning)
  }

  @Test func `a program that is not there is named`() {
    #expect {
      try DetachedProcess.start("/no/such", [], environment: [], log: folder.path(of: "log"))
    } throws: { "\($0)".hasPrefix("cannot start /no/such") }
  }
}
