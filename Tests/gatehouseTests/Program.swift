import Foundation
import Host

/// The built `gatehouse`, run to its end.
struct Program {
  /// What it printed, and its exit code.
  struct Ending {
    let code: Int32
    let output: String
    let complaints: String
  }

  /// `environment` is added to what a shell has.
  static func run(
    _ arguments: [String],
    environment: [String: String] = [:]
  ) async throws -> Ending {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Files, since a pipe that nobody reads would stop the program.
    let (output, complaints) = (folder.appending(path: "out"), folder.appending(path: "err"))
    for file in [output, complaints] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try ThisProcess.sibling("gatehouse"))
    process.arguments = arguments
    // What a sanitizer was told goes for the program as well.
    let inherited = ProcessInfo.processInfo.environment
      .filter { $0.key == "PATH" || $0.key.hasSuffix("SAN_OPTIONS") }
    process.environment = ["HOME": folder.path, "TMPDIR": folder.path]
      .merging(inherited) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: complaints)
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
      process.terminationHandler = { _ in done.resume() }
      do { try process.run() } catch { done.resume(throwing: error) }
    }
    return Ending(
      code: process.terminationStatus,
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      complaints: String(decoding: try Data(contentsOf: complaints), as: UTF8.self)
    )
  }
}
