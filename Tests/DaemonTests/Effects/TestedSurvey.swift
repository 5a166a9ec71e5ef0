import DaemonWire
import EventLoop
import Glibc
import Sandbox
import TestSupport

@testable import Daemon

/// A root in a temporary folder, and who looks at it before and after a command that a test plays.
final class TestedSurvey {
  let root: TemporaryFolder
  private let state: TemporaryFolder
  let survey: Survey
  let tools: FileTools

  init(
    pool: WorkerPool = WorkerPool(name: "survey", threads: 1),
    _ change: (inout Survey.Limits) -> Void = { _ in }
  ) throws {
    root = try TemporaryFolder()
    state = try TemporaryFolder()
    var limits = Survey.Limits()
    // A busy machine is no reason to give up here.
    limits.walk.time = .seconds(300)
    limits.walk.longest = .seconds(300)
    limits.readTime = .seconds(300)
    change(&limits)
    let survey = Survey(
      SharedRoot(try Root(root.path)),
      state: SharedFolder(try StateFolder(state.path)),
      limits: limits,
      pool: pool
    )
    self.survey = survey
    tools = FileTools(root: try Root(root.path)) { survey.note($0) }
  }

  func before() async -> Survey.Baseline {
    await withCheckedContinuation { continuation in
      survey.before { continuation.resume(returning: $0) }
    }
  }

  func after(_ baseline: Survey.Baseline) async -> Effects {
    await withCheckedContinuation { continuation in
      survey.after(baseline) { continuation.resume(returning: $0) }
    }
  }

  /// What is found when `command` was all that happened.
  func effects(of command: () async throws -> Void) async throws -> Effects {
    let baseline = await before()
    try await command()
    return await after(baseline)
  }

  func path(_ name: String) -> String { root.path + "/" + name }

  func remove(_ name: String) { _ = unsafe unlink(path(name)) }

  func move(_ name: String, to other: String) { _ = unsafe rename(path(name), path(other)) }

  func setMode(_ name: String, _ mode: mode_t) { _ = unsafe chmod(path(name), mode) }

  /// When a file was last written, as programs see and set it.
  func time(of name: String) -> timespec {
    var status = stat()
    _ = unsafe stat(path(name), &status)
    return status.st_mtim
  }

  func setTime(of name: String, to time: timespec) {
    let times = [time, time]
    _ = unsafe utimensat(AT_FDCWD, path(name), times, 0)
  }

  func write(_ content: [UInt8], to name: String) throws {
    try tools.call("files.write", WriteRequest(path: Array(name.utf8), content: content))
  }
}

extension FileTools {
  func call(_ tool: String, _ request: some WireMessage) throws {
    _ = try run(tool: tool, request: request.encoded()).get()
  }
}

extension Effects {
  /// `created a.txt`, in order.
  var lines: [String] {
    files.map { "\($0.change) \(String(decoding: $0.path, as: UTF8.self))" }
  }

  func file(_ path: String) -> FileEffect? { files.first { $0.path.elementsEqual(path.utf8) } }
}

extension FileState {
  var string: String? { kept == .kept ? String(decoding: text, as: UTF8.self) : nil }
}
