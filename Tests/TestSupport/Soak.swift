internal import Glibc

/// Whether `make soak` runs the tests: then they take their time.
package enum Soak {
  package static var isOn: Bool { unsafe getenv("SOAK") != nil }

  /// `short` in `make test`, `long` in `make soak`.
  package static func count(_ short: Int, _ long: Int) -> Int { isOn ? long : short }
}
