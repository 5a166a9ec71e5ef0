import EventLoop
import FoundationEssentials
import Glibc
import Sandbox
import Testing

@testable import Daemon

private func openDescriptors() throws -> Int {
  try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
}

private let canSetInheritable =
  getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")

@Suite(.timeLimit(.minutes(5))) struct `A command under its supervisor` {
  func shell(_ script: String, _ options: TestedCommand.Options = .init()) throws -> TestedCommand {
    try TestedCommand(["/bin/sh", "-c", script], options)
  }

  @Test(arguments: [0, 1, 42, 255]) func `reports its exit code`(code: Int32) throws {
    let command = try shell("exit \(code)")
    #expect(try command.finish().ending == .ended(.exited(code)))
  }

  @Test(arguments: [1, 9, 15]) func `reports the signal it died of`(signal: Int32) throws {
    let command = try shell("kill -\(signal) $$")
    #expect(try command.finish().ending == .ended(.signalled(signal)))
  }

  @Test(arguments: [
    ("/no/such/program", "not_found"), ("no-such-program", "not_found"),
    ("/etc/passwd", "not_executable"), ("/etc", "not_executable"),
  ]) func `that cannot start says why`(program: String, code: String) throws {
    let record = try TestedCommand([program]).finish()
    guard case .notStarted(let failure) = record.ending else {
      Issue.record("it started: \(record)")
      return
    }
    #expect(failure.code == code)
    #expect(failure.message.contains("'\(program)'"))
  }

  @Test func `that cannot start is named in short`() throws {
    let record = try TestedCommand([String(repeating: "x", count: 5_000)]).finish()
    guard case .notStarted(let failure) = record.ending else {
      Issue.record("it started: \(record)")
      return
    }
    #expect(failure.message.utf8.count < 1_000)
  }

  @Test func `is looked for in the path of its own environment`() throws {
    var options = TestedCommand.Options()
    options.environment = ["PATH=/nowhere:/bin:/usr/bin"]
    #expect(try TestedCommand(["true"], options).finish().ending == .ended(.exited(0)))
    options.environment = ["PATH=/nowhere"]
    guard case .notStarted = try TestedCommand(["true"], options).finish().ending else {
      Issue.record("found without a path")
      return
    }
  }

  @Test func `has both outputs apart`() throws {
    let command = try shell("echo out; echo err >&2")
    try command.finish()
    #expect(command.text == "out\n")
    #expect(command.errorText == "err\n")
  }

  @Test func `reads its input to its end`() throws {
    let command = try shell("cat", .init(hasInput: true))
    try command.pump { $0.streams != nil }
    try command.write("hello\n")
    try command.pump { $0.text == "hello\n" }
    command.link.send(.closeInput)
    command.dropInput()
    #expect(try command.finish().ending == .ended(.exited(0)))
  }

  @Test func `has the null device for input otherwise`() throws {
    let command = try TestedCommand(["cat"])
    #expect(try command.finish().ending == .ended(.exited(0)))
    #expect(command.text == "")
  }

  @Test func `sees its own environment and folder only`() throws {
    unsafe setenv("GATEHOUSE_TEST_MARKER", "secret", 1)
    let command = try TestedCommand(["env"], .init(environment: ["PATH=/usr/bin:/bin", "A=b c"]))
    try command.finish()
    #expect(command.text == "PATH=/usr/bin:/bin\nA=b c\n")
    let place = try TestedCommand(["pwd"], .init(directory: "/usr"))
    try place.finish()
    #expect(place.text == "/usr\n")
  }

  @Test func `has nothing open but its streams`() throws {
    let command = try TestedCommand(["ls", "/proc/self/fd"])
    try command.finish()
    // 3 is the folder that ls reads.
    #expect(command.text == "0\n1\n2\n3\n")
  }

  @Test func `may open as many descriptors as it is told, and ask for more`() throws {
    var options = TestedCommand.Options()
    options.descriptorLimit = 77
    let command = try shell("ulimit -Sn; ulimit -Sn 78; ulimit -Sn", options)
    try command.finish()
    #expect(command.text == "77\n78\n")
  }

  @Test func `gains no privileges and ignores no signal`() throws {
    let command = try TestedCommand(["grep", "-E", "NoNewPrivs|SigIgn|SigBlk", "/proc/self/status"])
    try command.finish()
    let none = "0000000000000000"
    #expect(command.text == "SigBlk:\t\(none)\nSigIgn:\t\(none)\nNoNewPrivs:\t1\n")
  }

  @Test func `at a terminal is told its size and each new one`() throws {
    let command = try shell(
      "stty size; trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done",
      .init(terminal: TerminalSize(columns: 100, rows: 30))
    )
    try command.pump { $0.text.contains("ready") }
    #expect(command.text.hasPrefix("30 100\r\n"))
    command.link.send(.resize(TerminalSize(columns: 50, rows: 10)))
    #expect(try command.finish().ending == .ended(.exited(0)))
    #expect(command.text.contains("10 50\r\n"))
  }

  @Test func `at a terminal is interrupted by its key`() throws {
    let command = try TestedCommand(
      ["sleep", "60"],
      .init(terminal: TerminalSize(columns: 80, rows: 24))
    )
    try command.pump { $0.streams != nil }
    try command.write("\u{3}")
    #expect(try command.finish().ending == .ended(.signalled(2)))
  }

  @Test func `gets signals as a group`() throws {
    let command = try shell(
      "trap 'echo got; exit 7' USR1; echo ready; while :; do sleep 0.05; done"
    )
    try command.pump { $0.text.contains("ready") }
    command.link.send(.signal(10))
    #expect(try command.finish().ending == .ended(.exited(7)))
    #expect(command.text.contains("got"))
  }

  @Test func `that ignores SIGTERM is killed after a while`() throws {
    let command = try shell("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    try command.pump { $0.text.contains("ready") }
    command.link.send(.end(.cancelled))
    let record = try command.finish()
    #expect(record.cause == .cancelled)
    #expect(record.ending == .ended(.signalled(9)))
    #expect(record.treeGone)
    #expect(record.microseconds >= 2_000_000)
  }

  @Test func `is cancelled with what it hid in the background`() throws {
    let command = try shell(
      "(setsid sh -c 'setsid sleep 61 & echo $!' &) ; sleep 0.2; echo ready; sleep 60"
    )
    try command.pump { $0.text.contains("ready") }
    let hidden = try #require(Int32(command.text.split(separator: "\n")[0]))
    #expect(FileManager.default.fileExists(atPath: "/proc/\(hidden)"))
    command.link.send(.end(.cancelled))
    #expect(try command.finish().treeGone)
    #expect(!FileManager.default.fileExists(atPath: "/proc/\(hidden)"))
  }

  @Test func `that ends leaves nothing behind`() throws {
    let command = try shell("sleep 61 & echo $!")
    let record = try command.finish()
    #expect(record.ending == .ended(.exited(0)))
    #expect(record.cause == .none)
    let left = try #require(Int32(command.text.split(separator: "\n")[0]))
    #expect(!FileManager.default.fileExists(atPath: "/proc/\(left)"))
  }

  @Test func `gives a large output exactly`() throws {
    let command = try TestedCommand(["head", "-c", "100000000", "/dev/zero"])
    try command.finish()
    #expect(command.output.count == 100_000_000)
    #expect(command.output.allSatisfy { $0 == 0 })
  }

  @Test func `goes on for the daemon that comes after`() throws {
    let command = try shell("echo one; read line; echo $line", .init(hasInput: true))
    try command.pump { $0.text == "one\n" }
    command.loseDaemon()
    try command.adopt()
    try command.pump { $0.streams != nil }
    try command.write("two\n")
    #expect(try command.finish().ending == .ended(.exited(0)))
    #expect(command.text == "one\ntwo\n")
  }

  @Test func `is not given to somebody without its key`() throws {
    let command = try shell("read line", .init(hasInput: true))
    try command.pump { $0.streams != nil }
    command.loseDaemon()
    try command.adopt(key: [1])
    try command.pump { $0.isGone }
    #expect(command.streams == nil)
    try command.adopt()
    try command.pump { $0.streams != nil }
    command.link.send(.end(.cancelled))
    try command.finish()
  }

  @Test func `leaves what nobody read`() throws {
    let command = try shell("head -c 5000 /dev/zero; head -c 300 /dev/zero >&2")
    let supervisor = try #require(command.link.child)
    command.loseDaemon()
    Program.reap(supervisor)
    let record = ExitRecord(in: command.folder)
    #expect(record?.ending == .ended(.exited(0)))
    #expect(record?.unread == [0, 0])
    let zeros = [5_000, 300].map { [UInt8](repeating: 0, count: $0) }
    #expect(try command.folder.read("rest-0") == zeros[0])
    #expect(try command.folder.read("rest-1") == zeros[1])
  }

  @Test func `leaves a count of what could not be kept`() throws {
    let command = try shell("head -c 5000 /dev/zero; head -c 300 /dev/zero >&2")
    let supervisor = try #require(command.link.child)
    // Lies where the file of the first output would be made.
    _ = try command.folder.folder(".rest-0.new")
    command.loseDaemon()
    Program.reap(supervisor)
    #expect(ExitRecord(in: command.folder)?.unread == [5_000, 0])
    #expect(try command.folder.read("rest-0") == nil)
    #expect(try command.folder.read("rest-1")?.count == 300)
  }

  @Test func `leaves no record that knows nothing of what could not be kept`() async throws {
    let command = try shell("head -c 5000 /dev/zero")
    let supervisor = try #require(command.link.child)
    command.loseDaemon()
    while ExitRecord(in: command.folder) == nil, !Task.isCancelled { await Task.yield() }
    for name in [".rest-0.new", ".exit.new"] { _ = try command.folder.folder(name) }
    Program.reap(supervisor)
    #expect(try command.folder.read(ExitRecord.fileName) == nil)
  }

  /// The kernel asks for the same account only, and Landlock has no say in it.
  @Test(arguments: [
    "prlimit --pid $PPID --nofile=1:1", "taskset -p 1 $PPID", "renice 5 -p $PPID",
    "ionice -c 3 -p $PPID", "chrt --other -p 0 $PPID", "ionice -c 3 -u $(id -u)",
    "renice 5 -u $(id -u)", "prlimit --pid $$ --nofile=1:1",
  ]) func `changes no other process's share of the machine`(script: String) throws {
    let command = try shell(script)
    try #require(command.finish().ending != .ended(.exited(0)), "\(script)")
    #expect(command.errorText.contains("not permitted"))
  }

  @Test func `changes its own share of the machine`() throws {
    let script = """
      ulimit -n 100 && nice -n 5 taskset 1 chrt --other 0 ionice -c 3 prlimit --nofile=50:50 \
      sh -c 'ulimit -n && nice && taskset -c 0 nproc'
      """
    let command = try shell(script)
    try #require(command.finish().ending == .ended(.exited(0)), "\(command.errorText)")
    #expect(command.text == "50\n5\n1\n")
  }

  @Test func `kills its command before it fails`() throws {
    let command = try shell("setsid sleep 61 & echo $!; sleep 62")
    try command.pump { $0.text.contains("\n") }
    let deep = try #require(Int32(command.text.split(separator: "\n")[0]))
    let supervisor = try #require(command.link.child)
    // It cannot wait for more descriptors than it may have.
    let limit = ["prlimit", "--pid", "\(supervisor)", "--nofile=2:2"]
    Program.reap(try Program.start("/usr/bin/prlimit", limit, passing: []))
    command.link.send(.resize(TerminalSize(columns: 1, rows: 1)))
    Program.reap(supervisor)
    #expect(!FileManager.default.fileExists(atPath: "/proc/\(deep)"))
  }

  @Test func `has as root what acts on files and accounts only`() throws {
    let command = try shell("grep CapBnd /proc/self/status")
    try command.finish()
    let set = try #require(UInt64(command.text.split(whereSeparator: \.isWhitespace)[1], radix: 16))
    let left: UInt64 =
      [0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 29, 31].reduce(0) { $0 | UInt64(1) << $1 }
    #expect(getuid() != 0 || set & ~left == 0)
  }

  /// Root's exec grants what is inheritable, whatever the bounding set says.
  @Test(.enabled(if: canSetInheritable, "needs root and setpriv"))
  func `gets no capability back that was inheritable`() throws {
    let folder = try makeTemporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let program = folder + "/toold"
    try "#!/bin/sh\nexec setpriv --inh-caps +sys_ptrace,+net_raw \(builtDaemon) \"$@\"\n"
      .write(toFile: program)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    var options = TestedCommand.Options()
    options.program = program
    let command = try shell("grep -E 'CapInh|CapEff' /proc/self/status", options)
    try command.finish()
    let sets = command.text.split(whereSeparator: \.isWhitespace)
    try #require(sets.count == 4, "\(command.text)")
    #expect(UInt64(sets[1], radix: 16) == 0)
    let ptrace = UInt64(1) << 19
    #expect((UInt64(sets[3], radix: 16) ?? .max) & ptrace == 0)
  }

  @Test func `is ended when no daemon comes back`() throws {
    let command = try shell("echo ready; sleep 60")
    try command.pump { $0.text.contains("ready") }
    let supervisor = try #require(command.link.child)
    command.loseDaemon()
    Program.reap(supervisor)
    let record = ExitRecord(in: command.folder)
    #expect(record?.cause == .abandoned)
    #expect(record?.treeGone == true)
  }
}

@Suite struct `A supervisor, in a process of its own` {
  @Test func `leaves neither descriptors nor zombies`() async {
    // In a process of its own, where no other test opens anything meanwhile.
    await #expect(processExitsWith: .success) {
      try TestedCommand(["true"]).finish()
      let before = try openDescriptors()
      for _ in 0..<20 { try TestedCommand(["true"]).finish() }
      #expect(try openDescriptors() == before)
      #expect(ProcessTree.now().descendants(of: ThisProcess.id).isEmpty)
    }
  }
}
