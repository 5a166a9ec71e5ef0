internal import CLinux
internal import Glibc

/// A process in a session of its own, that outlives the one that started it.
///
/// Process ids are used again, so it is told apart by its start time too: a value read back from
/// disk finds the same process or none.
package struct DetachedProcess: Sendable, Hashable {
  package let pid: Int32
  /// In clock ticks since boot; field 22 of proc(5) `stat`.
  package let startTime: UInt64

  package init(pid: Int32, startTime: UInt64) {
    self.pid = pid
    self.startTime = startTime
  }

  /// The one that has this number now; nil: none.
  package init?(running pid: Int32) {
    guard let status = Self.status(of: pid), !status.isZombie else { return nil }
    self.init(pid: pid, startTime: status.startTime)
  }

  /// Starts `program` with stdin from nowhere and both outputs added to `log`.
  ///
  /// The environment is `environment` alone: nothing of ours reaches it.
  package static func start(
    _ program: String,
    _ arguments: [String],
    environment: [String],
    log: String
  ) throws(HostError) -> DetachedProcess {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(
      &actions,
      1,
      log,
      O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW,
      0o600
    )
    unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // All of ours are close-on-exec; this covers what a library opened otherwise.
    guard unsafe gh_spawn_close_from(&actions, 3) == 0 else {
      throw HostError("cannot start \(program): out of memory")
    }
    unsafe setFlags(of: &attributes)

    var pid: pid_t = 0
    let code = unsafe CStrings.lend([program] + arguments) { arguments in
      unsafe CStrings.lend(environment) { environment in
        unsafe posix_spawn(&pid, program, &actions, &attributes, arguments, environment)
      }
    }
    guard code == 0 else {
      throw HostError("cannot start \(program): \(HostError.reason(code))")
    }
    // Not waited for yet, so it is listed even if it has ended.
    guard let status = status(of: pid) else {
      throw HostError("cannot read /proc/\(pid)/stat; is /proc mounted?")
    }
    return DetachedProcess(pid: pid, startTime: status.startTime)
  }

  /// Whether it still runs. Also takes the end of one this process started, so that none stays a
  /// zombie.
  package var isRunning: Bool {
    var status: Int32 = 0
    if unsafe waitpid(pid, &status, WNOHANG) == pid { return false }
    guard let status = Self.status(of: pid) else { return false }
    // A zombie has ended, whoever has yet to hear of it.
    return status.startTime == startTime && !status.isZombie
  }

  /// Asks it to end (SIGTERM); nothing if it has.
  package func terminate() { send(SIGTERM) }

  /// Ends it (SIGKILL); nothing if it has ended.
  package func kill() { send(SIGKILL) }

  private func send(_ signal: Int32) {
    guard isRunning else { return }
    _ = Glibc.kill(pid, signal)
  }

  /// A session of its own; no signal blocked or ignored, whatever ours are.
  @unsafe private static func setFlags(of attributes: inout posix_spawnattr_t) {
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | gh_spawn_new_session()
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
  }

  /// A descriptor that becomes readable when it ends, for the caller to close; pidfd_open(2).
  ///
  /// Nil when it has ended, and where the kernel has no such thing.
  package func openEnd() -> Int32? {
    let file = gh_open_process(pid)
    guard file >= 0 else { return nil }
    // After it is open: from here on the number stays with this process.
    guard isRunning else {
      close(file)
      return nil
    }
    return file
  }

  private static func status(of pid: Int32) -> (startTime: UInt64, isZombie: Bool)? {
    let path = "/proc/\(pid)/stat"
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    guard let bytes = try? OpenFile(number: file, path: path).readAll() else { return nil }
    // The second field is the program's name in brackets, and may hold anything.
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, let startTime = UInt64(fields[19]) else { return nil }
    return (startTime, fields[0] == "Z")
  }
}
