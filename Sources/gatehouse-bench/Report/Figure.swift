/// One figure of one contestant in one row.
struct Figure: Equatable, Sendable {
  let row: String
  let contestant: String
  let quantity: Quantity
  let setting: Setting
  let samples: [Double]

  init(
    _ row: String,
    _ contestant: String,
    _ quantity: Quantity,
    _ setting: Setting,
    _ samples: [Double]
  ) {
    self.row = row
    self.contestant = contestant
    self.quantity = quantity
    self.setting = setting
    self.samples = samples
  }
}

/// What a figure measures. The raw values are keys of the JSON.
enum Quantity: String, Sendable, Codable {
  case requestsPerSecond = "requests_per_second"
  case eventsPerSecond = "events_per_second"
  case cpuPerCall = "cpu_us_per_call"
  case gibPerSecond = "gib_per_second"
  case cpuPerGiB = "cpu_s_per_gib"
  case megabytes = "mb"
  case milliseconds = "ms"
  case kibibytes = "kib"
  case medianMicroseconds = "us_p50"
  case tailMicroseconds = "us_p99"

  /// For people.
  var label: String {
    switch self {
    case .requestsPerSecond: "requests/s"
    case .eventsPerSecond: "events/s"
    case .cpuPerCall: "CPU µs/call"
    case .gibPerSecond: "GiB/s"
    case .cpuPerGiB: "CPU s/GiB"
    case .megabytes: "MB"
    case .milliseconds: "ms"
    case .kibibytes: "KiB"
    case .medianMicroseconds: "µs, p50"
    case .tailMicroseconds: "µs, p99"
    }
  }
}

/// What was measured, in numbers and words: without it a figure means nothing.
struct Setting: Hashable, Sendable {
  let messageBytes: Int
  /// Connections of the load.
  let links: Int
  /// At once.
  let callsPerLink: Int
  let includes: String
}

/// A contestant that was not measured, and why.
struct Skipped: Equatable, Sendable, Codable {
  let row: String
  let contestant: String
  let reason: String

  init(row: String, _ missing: Missing) {
    self.row = row
    contestant = missing.contestant
    reason = missing.reason
  }
}
