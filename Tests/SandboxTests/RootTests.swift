import EventLoop
import Glibc
import TestSupport
import Testing

@testable import Sandbox

/// The workspace's root: what can be reached, and that nothing else can.
struct RootTests {
  private let outside: TemporaryFolder
  private let folder: TemporaryFolder

  init() throws {
    outside = try TemporaryFolder()
    folder = try TemporaryFolder()
    try outside.write("secret", to: "secret.txt")
    try folder.write("inside", to: "a/b.txt")
    try folder.link("out", to: outside.path + "/secret.txt")
    try folder.link("outside", to: outside.path)
    try folder.link("up", to: "../../../../../../etc/passwd")
    try folder.link("a/ok", to: "../a/b.txt")
    try folder.link("loop", to: "loop")
    try folder.link("proc", to: "/proc/self/root")
  }

  private func text(_ path: String) throws(SystemError) -> String {
    let root = try Root(folder.path)
    return String(decoding: try root.open(Array(path.utf8)).read(at: 0, count: 100), as: UTF8.self)
  }

  @Test(arguments: ["a/b.txt", "./a//b.txt", "a/../a/b.txt", "a/ok"])
  func `a path below the root is opened`(path: String) throws {
    #expect(try text(path) == "inside")
  }

  @Test(
    arguments: [
      "/etc/passwd", "..", "../x", "a/../../x", "out", "outside/secret.txt", "up", "proc",
      "proc/etc/passwd", "/",
    ])
  func `a path that leads out is refused`(path: String) throws {
    let error = #expect(throws: SystemError.self) { try text(path) }
    #expect(error?.code == EXDEV)
  }

  @Test(arguments: ["../x", "/x", "outside/x", "out", "up", "a/../../x", "outside/new/x"])
  func `nothing is written outside`(path: String) throws {
    let root = try Root(folder.path)
    let error = #expect(throws: SystemError.self) {
      try root.makeFolders(PathBytes.split(Array(path.utf8)).folder)
      try root.place(of: Array(path.utf8)).put([1], replacing: nil, permissions: 0o644)
    }
    #expect(error?.code == EXDEV)
    #expect(try outside.names() == ["secret.txt"])
    #expect(outside.read("secret.txt") == "secret")
  }

  @Test(arguments: [("missing", ENOENT), ("a/b.txt/c", ENOTDIR), ("loop", ELOOP), ("a\0b", EINVAL)])
  func `other failures keep the kernel's reason`(path: String, code: Int32) throws {
    let error = #expect(throws: SystemError.self) { try text(path) }
    #expect(error?.code == code)
  }

  @Test func `a name longer than the kernel's is refused`() throws {
    let error = #expect(throws: SystemError.self) { try text(String(repeating: "x", count: 300)) }
    #expect(error?.code == ENAMETOOLONG)
  }

  @Test func `a link is described, not followed`() throws {
    let root = try Root(folder.path)
    #expect(try root.status(of: Array("up".utf8)).kind == .link)
    #expect(try root.target(ofLink: Array("a/ok".utf8)) == Array("../a/b.txt".utf8))
  }

  @Test func `a pipe without a writer does not block`() throws {
    #expect(unsafe mkfifo(folder.path + "/pipe", 0o600) == 0)
    let root = try Root(folder.path)
    #expect(try root.open(Array("pipe".utf8)).status().kind == .other)
  }

  @Test func `names are in byte order and need not be UTF-8`() throws {
    let root = try Root(folder.path)
    for name in [[0xff, 0x01], [0x41], [0x61], [0x42]] as [[UInt8]] {
      try root.place(of: [0x61, 0x2f] + name).put([], replacing: nil, permissions: 0o600)
    }
    let names = try root.names(in: [0x61])
    #expect(
      names == [[0x41], [0x42], [0x61], Array("b.txt".utf8), Array("ok".utf8), [0xff, 0x01]]
    )
  }

  @Test func `a file is replaced through a link that stays inside`() throws {
    let root = try Root(folder.path)
    let place = try root.place(of: Array("a/ok".utf8))
    try place.put(Array("new".utf8), replacing: try place.status(), permissions: 0)
    #expect(folder.read("a/b.txt") == "new")
    #expect(try root.status(of: Array("a/ok".utf8)).kind == .link)
  }

  @Test func `a new file does not replace one that came meanwhile`() throws {
    let root = try Root(folder.path)
    let place = try root.place(of: Array("a/b.txt".utf8))
    let error = #expect(throws: SystemError.self) {
      try place.put([1], replacing: nil, permissions: 0o644)
    }
    #expect(error?.code == EEXIST)
    #expect(try folder.names("a") == ["b.txt", "ok"])
    #expect(folder.read("a/b.txt") == "inside")
  }

  @Test func `new content is not trusted as the old was`() throws {
    unsafe chmod(folder.path + "/a/b.txt", 0o6751)
    let place = try Root(folder.path).place(of: Array("a/b.txt".utf8))
    try place.put([1], replacing: try place.status(), permissions: 0)
    #expect(try place.status()?.permissions == 0o751)
  }

  @Test func `permissions are kept, and a new file's are exact`() throws {
    let root = try Root(folder.path)
    unsafe chmod(folder.path + "/a/b.txt", 0o751)
    let place = try root.place(of: Array("a/b.txt".utf8))
    try place.put([1], replacing: try place.status(), permissions: 0)
    #expect(try place.status()?.permissions == 0o751)
    try root.place(of: [0x6e]).put([1], replacing: nil, permissions: 0o666)
    #expect(try root.status(of: [0x6e]).permissions == 0o666)
  }

  @Test func `a file that cannot be made is told from one that is there already`() throws {
    let root = try Root(folder.path)
    try root.makeFolders([0x78])
    let place = try root.place(of: Array("x/new".utf8))
    #expect(unsafe rmdir(folder.path + "/x") == 0)
    var isThere = false
    #expect(throws: SystemError.self) {
      try place.put([1], replacing: nil, permissions: 0o644) { isThere = true }
    }
    #expect(!isThere)
    try root.place(of: [0x6e]).put([1], replacing: nil, permissions: 0o644) { isThere = true }
    #expect(isThere)
  }

  @Test func `folders that were made are told although a later one cannot be`() throws {
    let root = try Root(folder.path)
    var made: [[UInt8]] = []
    let long = String(repeating: "x", count: 256)
    #expect(throws: SystemError.self) {
      try root.makeFolders(Array("x/y/\(long)".utf8)) { made.append($0) }
    }
    #expect(made == [Array("x".utf8), Array("x/y".utf8)])
  }

  @Test func `folders are made on the way`() throws {
    let root = try Root(folder.path)
    try root.makeFolders(Array("x//y/./z".utf8))
    #expect(try root.status(of: Array("x/y/z".utf8)).kind == .folder)
    try root.makeFolders(Array("x/y".utf8))
    let error = #expect(throws: SystemError.self) { try root.makeFolders(Array("a/b.txt/c".utf8)) }
    #expect(error?.code == ENOTDIR)
  }

  @Test func `a NUL does not cut a path`() throws {
    let root = try Root(folder.path)
    let error = #expect(throws: SystemError.self) {
      _ = try root.place(of: Array("a/b.txt\0".utf8))
    }
    #expect(error?.code == EINVAL)
  }

  @Test(arguments: ["", "a/", ".", "a/..", "a/."])
  func `a folder is no place for a file`(path: String) throws {
    let root = try Root(folder.path)
    let error = #expect(throws: SystemError.self) { _ = try root.place(of: Array(path.utf8)) }
    #expect(error?.code == EISDIR)
  }
}

@Suite struct `A full disk, in a process of its own` {
  @Test func `a write that fails leaves the old file and no temporary one`() async {
    // A limit on file sizes is what a test can set, in a process of its own.
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
      unsafe setrlimit(__rlimit_resource_t(1), &limit)
      let folder = try TemporaryFolder()
      try folder.write("old", to: "a")
      let place = try Root(folder.path).place(of: [0x61])
      let error = #expect(throws: SystemError.self) {
        let content = [UInt8](repeating: 1, count: 2 << 20)
        try place.put(content, replacing: try place.status(), permissions: 0)
      }
      #expect(error?.code == EFBIG)
      #expect(try folder.names() == ["a"])
      #expect(folder.read("a") == "old")
    }
  }
}
