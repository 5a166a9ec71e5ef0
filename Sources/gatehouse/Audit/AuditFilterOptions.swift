internal import ArgumentParser
internal import Host
internal import Wire

/// Which events a command is about. What is given must all match.
struct AuditFilterOptions: ParsableArguments {
  @Option(
    name: .customLong("kind"),
    help: "A kind of event, e.g. call.ended; or a group of them, e.g. call. May be repeated."
  )
  var kinds: [String] = []

  @Option(name: .customLong("user"), help: "Who acted, or on whose behalf: a name, or a SPIFFE id.")
  var principal: String?

  @Option(help: "A workspace's name or id; of one that was deleted the id.")
  var workspace: String?

  @Option(help: "A chat's id.")
  var chat: String?

  @Option(help: "A call's id.")
  var call: String?

  @Option(
    help: "Intents of calls of this tool, and those whose content was erased: they may have been."
  )
  var tool: String?

  @Option(
    name: .customLong("file"),
    help: """
      Calls of a file tool given this path, ends of calls that changed it, and intents that were \
      erased.
      """
  )
  var path: String?

  @Option(help: "Not before: 30s, 10m, 2h, 7d ago; or a time, 2026-11-24T19:00:00Z.")
  var since: AuditTime?

  @Option(help: "Not after, likewise.")
  var until: AuditTime?

  var request: Gatehouse_Plane_V1_SearchAuditRequest {
    var request = Gatehouse_Plane_V1_SearchAuditRequest()
    request.kinds = kinds
    request.principal = principal ?? ""
    request.workspace = workspace ?? ""
    request.chat = chat ?? ""
    request.call = call ?? ""
    request.tool = tool ?? ""
    request.path = path ?? ""
    request.sinceUnixUs = since?.microseconds ?? 0
    request.untilUnixUs = until?.microseconds ?? 0
    return request
  }
}

/// A moment, as people write it on a command line.
struct AuditTime: ExpressibleByArgument, Equatable {
  /// Since 1970.
  let microseconds: UInt64

  init?(argument: String) { self.init(argument, now: ThisProcess.unixMicroseconds) }

  /// `now` in microseconds since 1970.
  init?(_ text: String, now: UInt64) {
    if let ago = Self.ago(text) {
      microseconds = now - min(now, ago)
    } else if let time = Self.time(text) {
      microseconds = time
    } else {
      return nil
    }
  }

  private static func ago(_ text: String) -> UInt64? {
    let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = UInt32(text.dropLast()) else {
      return nil
    }
    return UInt64(count) * unit * 1_000_000
  }

  /// `2026-11-24`, or with `T19:00:00Z` behind it.
  private static func time(_ text: String) -> UInt64? {
    let parts = text.split(separator: "T", maxSplits: 1)
    let date = parts.first?.split(separator: "-").compactMap { UInt64($0) } ?? []
    guard date.count == 3, (1970...9999).contains(date[0]), (1...12).contains(date[1]),
      (1...31).contains(date[2])
    else { return nil }
    var seconds = days(date[0], date[1], date[2]) * 86_400
    if parts.count == 2 {
      guard parts[1].last == "Z" else { return nil }
      let clock = parts[1].dropLast().split(separator: ":").compactMap { UInt64($0) }
      guard clock.count == 3, clock[0] < 24, clock[1] < 60, clock[2] < 60 else { return nil }
      seconds += clock[0] * 3_600 + clock[1] * 60 + clock[2]
    }
    return seconds * 1_000_000
  }

  /// Days from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
  private static func days(_ year: UInt64, _ month: UInt64, _ day: UInt64) -> UInt64 {
    let year = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = (year / 400, year % 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
