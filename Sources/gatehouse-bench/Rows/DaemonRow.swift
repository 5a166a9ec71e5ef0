internal import EventLoop
internal import FoundationEssentials
internal import Glibc

/// The daemon as it is shipped, one static file: how large it is, what it takes of memory while it is
/// linked and idle, and how long it takes from its start until it is linked.
struct DaemonRow: Row {
  func measure(with options: MeasureOptions, in workbench: Workbench) async throws -> RowResult {
    var result = RowResult()
    do {
      let program = try StaticDaemon.find(options.daemon)
      result.figures.append(try Self.size(of: program))
      let daemon = try await StaticDaemon.enroll(program, in: workbench)
      result.figures += try await Self.runs(of: daemon, options, in: workbench)
    } catch let missing as Missing {
      result.skipped = ["daemon-size", "daemon-memory", "daemon-start"].map {
        Skipped(row: $0, missing)
      }
    }
    return result
  }

  private static func size(of program: String) throws -> Figure {
    let attributes = try FileManager.default.attributesOfItem(atPath: program)
    guard let bytes = attributes[.size] as? UInt64 else {
      throw BenchError("\(program) has no size")
    }
    let includes = """
      stripped, no library needed; the peer is a trivial static Swift program with OpenSSL and \
      nghttp2, 10.5 MB when the design was made
      """
    return figure("daemon-size", .megabytes, includes, [Double(bytes) / 1e6])
  }

  private static func runs(
    of daemon: StaticDaemon,
    _ options: MeasureOptions,
    in workbench: Workbench
  ) async throws -> [Figure] {
    var (starts, memory): ([Double], [Double]) = ([], [])
    for _ in 0..<options.rounds {
      let run = try await daemon.link(in: workbench)
      starts.append(run.time / .milliseconds(1))
      // Long enough to be idle: what it still has to do after linking is done within a second.
      try await Task.sleep(for: .seconds(3))
      memory.append(try ResidentMemory.megabytes(of: run.process.id))
      try await workbench.end(run.process)
    }
    return [
      figure(
        "daemon-memory",
        .megabytes,
        "VmRSS, linked and idle for 3 s, file pages included",
        memory
      ),
      figure(
        "daemon-start",
        .milliseconds,
        "exec to Welcome, with a certificate, on loopback",
        starts
      ),
    ]
  }

  private static func figure(
    _ row: String,
    _ quantity: Quantity,
    _ includes: String,
    _ samples: [Double]
  ) -> Figure {
    let setting = Setting(messageBytes: 0, links: 1, callsPerLink: 0, includes: includes)
    return Figure(row, "gatehouse", quantity, setting, samples)
  }
}

/// What a process holds of the machine's memory.
enum ResidentMemory {
  static func megabytes(of process: Int32) throws -> Double {
    try Double(kibibytes("VmRSS", of: process)) * 1_024 / 1e6
  }

  /// Without pages of files: the heap, and stacks.
  static func anonymousKibibytes(of process: Int32) throws -> Int {
    try kibibytes("RssAnon", of: process)
  }

  private static func kibibytes(_ field: String, of process: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    guard let kibibytes = kibibytes(field, inStatus: status) else {
      throw BenchError("process \(process) has ended, or /proc is not as proc(5) says")
    }
    return kibibytes
  }

  /// A field of `/proc/PID/status`, whose kB are KiB (proc(5)).
  static func kibibytes(_ field: String = "VmRSS", inStatus text: String) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix("\(field):") }
    return line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int($0) }
  }
}
