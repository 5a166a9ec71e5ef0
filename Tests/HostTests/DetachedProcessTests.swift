internal import Glibc
internal import Testing

@testable internal import Host

@Suite(.timeLimit(.minutes(5))) struct `A detached process` {
  private let temporary: TemporaryFolder
  private let folder: StateFolder

  init() throws {
    temporary = try TemporaryFolder()
    folder = try StateFolder(temporary.path)
  }

  private func start(_ script: String) throws -> DetachedProcess {
    try .start("/bin/sh", ["-c", script], environment: [], log: folder.path(of: "log"))
  }

  /// Blocks until the kernel says that it has ended.
  private func wait(_ process: DetachedProcess) throws {
    guard let file = process.openEnd() else { return }
    defer { close(file) }
    var entry = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
    try #require(unsafe poll(&entry, 1, 30_000) == 1)
  }

  @Test func `its end can be waited for`() throws {
    let process = try start("exec sleep 60")
    let file = try #require(process.openEnd())
    defer { close(file) }
    var entry = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
    #expect(unsafe poll(&entry, 1, 0) == 0)
    process.kill()
    #expect(unsafe poll(&entry, 1, 30_000) == 1)
    #expect(!process.isRunning)
    #expect(process.openEnd() == nil)
  }

  @Test func `another that has its number now is not waited for`() throws {
    let process = try start("exec sleep 60")
    let earlier = DetachedProcess(pid: process.pid, startTime: process.startTime - 1)
    #expect(earlier.openEnd() == nil)
    process.kill()
    try wait(process)
  }

  @Test func `it gets no descriptor of ours but its three`() throws {
    // As a library opens one: not close-on-exec.
    let file = unsafe open("/dev/null", O_RDONLY)
    try #require(file >= 3)
    defer { close(file) }
    let process = try start("if [ -e /proc/self/fd/\(file) ]; then echo open; else echo shut; fi")
    try wait(process)
    #expect(try folder.read("log") == Array("shut\n".utf8))
  }
}
