import FoundationEssentials
import Sandbox
import Testing

@testable import Daemon

@Suite(.enabled(if: Landlock.version > 0, "this kernel has no Landlock"), .timeLimit(.minutes(5)))
struct `A command behind Landlock` {
  /// A folder with a hidden, a writable and a plain part.
  final class Place {
    let path: String

    init() throws {
      path = try makeTemporaryFolder()
      for name in ["hidden", "work", "plain"] {
        try FileManager.default.createDirectory(
          atPath: path + "/" + name,
          withIntermediateDirectories: false
        )
        try "text".write(toFile: path + "/" + name + "/file")
      }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var view: FileView { FileView(hidden: [path + "/hidden"], writable: [path + "/work"]) }

    func run(_ script: String) throws -> TestedCommand {
      let command = try TestedCommand(
        ["/bin/sh", "-c", script],
        .init(view: view, directory: path + "/work")
      )
      try command.finish()
      return command
    }
  }

  let place: Place

  init() throws { place = try Place() }

  @Test func `reads what is not hidden`() throws {
    let command = try place.run("cat ../plain/file file")
    #expect(command.text == "texttext")
  }

  @Test(arguments: [
    "cat ../hidden/file", "cat $PWD/../plain/../hidden/file", "cp ../hidden/file copy",
    "ln ../hidden/file link", "mv ../hidden/file moved", "ln -s ../hidden/file s; cat s",
    "cat /proc/1/root$(pwd)/../hidden/file",
  ]) func `cannot reach what is hidden`(script: String) throws {
    let command = try place.run(script)
    #expect(command.text == "")
    #expect(command.record?.ending == .ended(.exited(1)))
    #expect(command.errorText.contains("denied") || command.errorText.contains("cross-device"))
  }

  @Test(arguments: [
    "echo x > ../hidden/new", "echo x > ../plain/file", "rm -f ../hidden/file",
    "mkdir ../plain/new",
    "mknod disk b 8 0", "echo x > /etc/gatehouse-test",
  ]) func `writes only where it may`(script: String) throws {
    let command = try place.run(script)
    #expect(command.record?.ending != .ended(.exited(0)))
    #expect(try String(fromFile: place.path + "/plain/file") == "text")
  }

  /// A command before it may have put a link where its root, or a cache, was.
  @Test(arguments: ["hidden", "hidden/..", "plain"])
  func `has nothing of what a link in the place of a writable folder leads to`(
    target: String
  ) throws {
    let view = place.view.settled()
    let files = FileManager.default
    try files.moveItem(atPath: place.path + "/work", toPath: place.path + "/old")
    try files.createSymbolicLink(
      atPath: place.path + "/work",
      withDestinationPath: place.path + "/" + target
    )
    let script = "cat \(place.path)/hidden/file; echo x > \(place.path)/plain/file"
    let command = try TestedCommand(["/bin/sh", "-c", script], .init(view: view))
    try command.finish()
    #expect(command.text == "")
    #expect(command.record?.ending != .ended(.exited(0)))
    #expect(try String(fromFile: place.path + "/plain/file") == "text")
  }

  @Test func `works in its own folder`() throws {
    let command = try place.run("echo x > new && mv new old && mkdir d && rm -r d && cat old")
    #expect(command.text == "x\n")
  }

  @Test func `uses the plain devices`() throws {
    let command = try place.run("echo x > /dev/null && head -c 4 /dev/urandom | wc -c")
    #expect(command.text == "4\n")
  }

  @Test(.enabled(if: Landlock.version >= 6)) func `signals nobody outside`() throws {
    let command = try place.run("kill -0 $PPID")
    #expect(command.record?.ending == .ended(.exited(1)))
  }
}

extension String {
  func write(toFile path: String) throws {
    try write(toFile: path, atomically: false, encoding: .utf8)
  }

  init(fromFile path: String) throws { try self.init(contentsOfFile: path, encoding: .utf8) }
}
