internal import Glibc

enum UnixTime {
  /// Microseconds since 1970, for people; nothing is timed with it.
  static var microseconds: Int64 {
    var time = timespec()
    // Fails only for a clock that there is not.
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}
