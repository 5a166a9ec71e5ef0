internal import Synchronization

/// What `/metrics` counts, since the plane's start.
final class Metrics: Sendable {
  enum Counter: String, CaseIterable {
    case enrolled = "gatehouse_enrollments_total"
    case enrollmentRefused = "gatehouse_enrollments_refused_total"
  }

  private let counts = Mutex<[Counter: UInt64]>([:])

  func count(_ counter: Counter) { counts.withLock { $0[counter, default: 0] += 1 } }

  /// In Prometheus's text format 0.0.4, with `gauges` after the counters.
  func text(gauges: [(name: String, value: Int)]) -> String {
    let counts = counts.withLock { $0 }
    var text = ""
    for counter in Counter.allCases {
      text += "# TYPE \(counter.rawValue) counter\n"
      text += "\(counter.rawValue) \(counts[counter] ?? 0)\n"
    }
    for gauge in gauges {
      let family = gauge.name.prefix { $0 != "{" }
      if !text.contains("# TYPE \(family) ") { text += "# TYPE \(family) gauge\n" }
      text += "\(gauge.name) \(gauge.value)\n"
    }
    return text
  }
}
