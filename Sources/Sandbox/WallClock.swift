internal import CLinux

/// Time that nobody sets, for what outlives the process and not the machine: the same to all processes.
package enum BootClock {
  /// Microseconds since the machine started.
  package static var microseconds: Int64 { gh_boot_clock() }
}

/// The time of day, for certificates and logs.
package enum WallClock {
  /// Microseconds since 1970.
  package static var microseconds: Int64 { gh_wall_clock() }

  /// Seconds since 1970.
  package static var seconds: Int64 { microseconds / 1_000_000 }
}
