internal import FoundationEssentials
internal import Glibc

/// What a process took of the processors.
enum CPUTime {
  /// User and system time of all threads of a process so far, in steps of the kernel's clock tick
  /// (10 ms).
  static func of(_ process: Int32) throws -> Duration {
    let line = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    guard let ticks = ticks(inStat: line) else {
      throw BenchError("process \(process) has ended, or /proc is not as proc(5) says")
    }
    return .seconds(1) * ticks / sysconf(Int32(_SC_CLK_TCK))
  }

  /// Fields 14 and 15 (utime, stime) of `/proc/PID/stat`. The command's name in it may hold
  /// anything, so fields count from its last ')' (proc(5)).
  static func ticks(inStat line: String) -> Int? {
    guard let end = line.lastIndex(of: ")") else { return nil }
    let fields = line[line.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
      return nil
    }
    return user + system
  }
}
