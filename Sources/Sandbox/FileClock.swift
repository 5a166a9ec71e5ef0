internal import CLinux

/// The clock that the times of files are taken from. It goes on in steps of some milliseconds, so that
/// two changes in one step look like one.
package enum FileClock {
  /// Nanoseconds since 1970.
  package static var now: Int64 { gh_file_clock() }

  /// Waits until a change would get a later time than `time`, in nanoseconds: a step at most. A time
  /// that lies ahead is of a clock that was set back, or another machine's, and not waited for.
  package static func wait(beyond time: Int64) {
    // A step is ten milliseconds at most (HZ is 100).
    for _ in 0..<40 {
      guard time >= now else { return }
      gh_sleep_microseconds(500)
    }
  }
}
