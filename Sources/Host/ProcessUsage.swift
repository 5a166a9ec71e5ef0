internal import CLinux
internal import Glibc

/// What this process takes of its machine.
package struct ProcessUsage: Sendable {
  package let residentBytes: Int
  package let virtualBytes: Int
  package let openDescriptors: Int
  /// The most it may have open.
  package let maxDescriptors: Int
  package let cpuSeconds: Double
  /// Seconds since 1970; 0 when the kernel does not say.
  package let startTime: Double

  /// As of now. Reads three small files of /proc, which are memory.
  package init() {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    cpuSeconds = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)

    var limit = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    maxDescriptors = Int(clamping: limit.rlim_cur)
    openDescriptors = Self.countDescriptors()

    let pages = Self.fields(of: "/proc/self/statm").compactMap { Int($0) }
    let page = sysconf(Int32(_SC_PAGESIZE))
    virtualBytes = pages.count > 1 ? pages[0] * page : 0
    residentBytes = pages.count > 1 ? pages[1] * page : 0
    startTime = Self.startTime
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }

  /// The folder's size says it on newer kernels; else its entries are counted.
  private static func countDescriptors() -> Int {
    var status = stat()
    if unsafe stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return Int(status.st_size) }
    guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
    defer { unsafe closedir(folder) }
    var count = 0
    while unsafe readdir(folder) != nil { count += 1 }
    return count - 3  // itself, and two dots
  }

  /// Field 22 of stat is in clock ticks since the machine started (proc(5)).
  private static let startTime: Double = {
    // The program's name, in brackets, may hold blanks.
    let stat = text(of: "/proc/self/stat").split(separator: ")").last ?? ""
    let fields = stat.split(separator: " ")
    let boot = text(of: "/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
    guard fields.count > 19, let ticks = Double(fields[19]), let boot,
      let base = Double(boot.dropFirst(6))
    else { return 0 }
    return base + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }()

  private static func fields(of path: String) -> [Substring] {
    text(of: path).split { $0 == " " || $0 == "\n" }
  }

  private static func text(of path: String) -> String {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    let bytes = (try? OpenFile(number: file, path: path).readAll()) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }
}
