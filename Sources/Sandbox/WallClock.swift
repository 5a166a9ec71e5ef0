internal import CLinux

/// The time of day, for certificates, logs and what outlives the process.
package enum WallClock {
  /// Microseconds since 1970.
  package static var microseconds: Int64 { gh_wall_clock() }

  /// Seconds since 1970.
  package static var seconds: Int64 { microseconds / 1_000_000 }
}
