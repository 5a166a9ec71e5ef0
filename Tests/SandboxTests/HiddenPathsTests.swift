import EventLoop
import TestSupport
import Testing

@testable import Sandbox

/// What is hidden in a root, and roots that would show what is hidden.
struct HiddenPathsTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("key", to: "keys/id")
    try folder.write("token", to: "d/token")
    try folder.write("work", to: "d/work")
    try folder.write("near", to: "keys2")
    try folder.link("link", to: "keys")
    try folder.link("deep", to: "d/../keys/id")
  }

  private var hidden: [String] {
    [folder.path + "/keys", folder.path + "/d/token", folder.path + "/none", "/etc"]
  }

  private static let paths = [
    "keys", "keys/id", "d/token", "link", "link/id", "deep", "d/../keys/id", "./keys//id",
  ]

  @Test(arguments: paths) func `what is hidden is not reached by any path`(path: String) throws {
    let root = try Root(folder.path, hidden: hidden)
    let error = #expect(throws: SystemError.self) { _ = try root.open(Array(path.utf8)) }
    #expect(error?.isHidden == true, "\(path): \(error.map(String.init(describing:)) ?? "")")
  }

  @Test(arguments: ["keys/new", "link/new", "keys/sub/new", "none", "none/new", "d/token", "deep"])
  func `nothing is made there`(path: String) throws {
    let root = try Root(folder.path, hidden: hidden)
    let path = Array(path.utf8)
    let error = #expect(throws: SystemError.self) {
      try root.makeFolders(PathBytes.split(path).folder)
      _ = try root.place(of: path)
    }
    #expect(error?.isHidden == true)
    #expect(try folder.names() == ["d", "deep", "keys", "keys2", "link"])
    #expect(try folder.names("keys") == ["id"])
  }

  @Test func `nothing is listed, described or held there`() throws {
    let root = try Root(folder.path, hidden: hidden)
    let path = Array("keys".utf8)
    for look: (borrowing Root) throws -> Void in [
      { _ = try $0.names(in: path) }, { _ = try $0.status(of: path) },
      { _ = try $0.hold(folder: path) },
    ] {
      let error = #expect(throws: SystemError.self) { try look(root) }
      #expect(error?.isHidden == true)
    }
  }

  @Test(arguments: ["d/work", "keys2"]) func `what lies beside it is`(path: String) throws {
    let root = try Root(folder.path, hidden: hidden)
    #expect(try root.open(Array(path.utf8)).read(at: 0, count: 4).count == 4)
    _ = try root.place(of: Array("d/new".utf8))
  }

  @Test func `a root within a hidden folder is whole`() throws {
    let root = try Root(folder.path + "/keys", hidden: hidden)
    #expect(try root.open(Array("id".utf8)).read(at: 0, count: 3).count == 3)
  }

  @Test func `a root that shows what is hidden is refused by name`() throws {
    let hidden = [folder.path + "/keys", folder.path + "/absent"]
    let cases: [(String, RootConflict.Kind)] = [
      ("", .contains), ("/keys", .isHidden), ("/link", .isHidden), ("/keys/id", .liesIn),
    ]
    for (name, kind) in cases {
      let conflict = try #require(RootConflict(of: folder.path + name, hidden: hidden), "\(name)")
      #expect(conflict.kind == kind)
      #expect(conflict.description.contains("'\(conflict.root)'"))
      #expect(conflict.description.contains("name "))
    }
    #expect(RootConflict(of: folder.path + "/d", hidden: hidden) == nil)
    #expect(RootConflict(of: folder.path, hidden: [folder.path + "/absent"])?.kind == .contains)
    #expect(RootConflict(of: "/", hidden: ["/root/.ssh"])?.kind == .contains)
    for kernels in ["/dev", "/proc", "/proc/self", "/sys"] {
      #expect(RootConflict(of: kernels, hidden: [])?.kind == .isKernels, "\(kernels)")
    }
    #expect(RootConflict(of: "/etc", hidden: [])?.kind == .isSystems)
    #expect(RootConflict(of: "/usr/src", hidden: []) == nil)
  }

  @Test func `a root that was made for it may lie in what is hidden, but show none of it`() {
    let hidden = [folder.path]
    #expect(RootConflict(of: folder.path + "/d", hidden: hidden, isMade: true) == nil)
    #expect(RootConflict(of: folder.path, hidden: hidden, isMade: true)?.kind == .isHidden)
  }

  @Test func `secrets are looked for in each home and where variables say`() {
    let key = folder.path + "/keys/id"
    let paths = FileView.secrets(
      homes: ["/home/ann", "/"],
      environment: [
        "HOME": "/srv/home", "XDG_CONFIG_HOME": "/srv/config", "GATEHOUSE_KEY": key,
      ]
    )
    for path in [
      "/home/ann/.ssh", "/.ssh", "/srv/home/.ssh", "/home/ann/.codex", "/srv/config/gatehouse", key,
    ] {
      #expect(paths.contains(path), "\(path)")
    }
    #expect(paths.contains { $0.hasPrefix("/run/user/") })
    #expect(Set(paths).count == paths.count)
  }
}
