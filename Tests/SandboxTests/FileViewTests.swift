import Testing

@testable import Sandbox

@Suite struct `A view of the file system` {
  typealias Grant = FileView.Grant

  let tree: [String: [String]] = [
    "/": ["dev", "etc", "home"],
    "/home": ["ann", "bob"],
    "/home/ann": [".ssh", "code", ".config"],
    "/home/ann/.config": ["gatehouse", "git"],
  ]

  func grants(_ view: FileView) -> [Grant] { view.grants { tree[$0] ?? [] } }

  @Test func `permits what lies beside a hidden path, name by name`() {
    let view = FileView(
      hidden: ["/home/ann/.ssh", "/home/ann/.config/gatehouse"],
      writable: [],
      devices: []
    )
    #expect(
      grants(view) == [
        Grant(path: "/", access: .list), Grant(path: "/etc", access: .read),
        Grant(path: "/home/ann/code", access: .read),
        Grant(path: "/home/ann/.config/git", access: .read),
        Grant(path: "/home/bob", access: .read),
      ]
    )
  }

  @Test func `permits no raw devices`() {
    let view = FileView(hidden: [], writable: [])
    let devices = grants(view).filter { $0.path.hasPrefix("/dev") }
    #expect(devices.map(\.path) == FileView.plainDevices)
  }

  @Test func `splits a writable folder around what is hidden in it`() {
    let view = FileView(hidden: ["/home/ann/.ssh"], writable: ["/home/ann"], devices: [])
    let writable = grants(view).filter { $0.access == .write }
    #expect(writable.map(\.path) == ["/home/ann/code", "/home/ann/.config"])
  }

  @Test func `gives back a writable folder inside a hidden one`() {
    let view = FileView(hidden: ["/home/ann"], writable: ["/home/ann/code"], devices: [])
    #expect(grants(view).contains(Grant(path: "/home/ann/code", access: .write)))
    #expect(!grants(view).contains { $0.access == .read && $0.path.hasPrefix("/home/ann") })
  }

  @Test func `permits so many names and no more, and hides what is hidden`() {
    let many = (0..<30_000).map { "name\($0)" }
    let tree = [
      "/": ["tmp"], "/tmp": many + ["stage", "work"],
      "/tmp/stage": ["state", "logs"],
    ]
    let view = FileView(
      hidden: ["/tmp/stage/state"],
      writable: ["/tmp", "/tmp/work"],
      devices: []
    )
    let grants = view.grants { tree[$0] ?? [] }
    let beside = grants.filter { $0.path.hasPrefix("/tmp/name") }
    #expect(beside.count == FileView.maxNames)
    #expect(beside.allSatisfy { $0.access == .write })
    // What leads on, and what was asked for, is not among those that are counted.
    #expect(grants.contains(Grant(path: "/tmp/stage/logs", access: .write)))
    #expect(grants.contains(Grant(path: "/tmp/work", access: .write)))
    #expect(!grants.contains { $0.path.hasPrefix("/tmp/stage/state") || $0.path == "/tmp/stage" })
    #expect(!grants.contains { $0.path == "/tmp" && $0.access != .list })
    let crowded = view.crowded { tree[$0] ?? [] }
    #expect(crowded.map(\.folder) == ["/tmp"] && crowded.map(\.names) == [30_002])
  }

  @Test func `does not take a common prefix for a folder`() {
    #expect(FileView.isBelow("/a/b", "/a"))
    #expect(!FileView.isBelow("/ab", "/a"))
    #expect(!FileView.isBelow("/a", "/a"))
    #expect(FileView.isBelow("/a", "/"))
  }
}
