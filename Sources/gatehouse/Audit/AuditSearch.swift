internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct AuditTail: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail",
    abstract: "The last events, then each new one.",
    discussion: "Ends with Ctrl-C, or with the plane."
  )

  @Option(name: .shortAndLong, help: "How many of the last events first.")
  var lines: UInt32 = 10

  @Flag(help: "Only those there are.")
  var once = false

  @OptionGroup var filter: AuditFilterOptions
  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    var request = filter.request
    // None at all is not to be had: 0 stands for all.
    request.last = max(1, lines)
    request.follow = !once
    try await AuditOutput.print(request, client, asJSON: output.json)
  }
}

struct AuditSearch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Events that match, oldest first.",
    discussion: "E.g. gatehouse audit search --user ann --tool files.write --since 2h"
  )

  @Option(name: .shortAndLong, help: "Only so many, the last ones.")
  var last: UInt32 = 100

  @OptionGroup var filter: AuditFilterOptions
  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    var request = filter.request
    request.last = last
    let count = try await AuditOutput.print(request, client, asJSON: output.json)
    if count == 0 { Talk.say("no event matches") }
    if last > 0, count == Int(last) { Talk.say("the last \(last); all: --last 0") }
  }
}

struct AuditExport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Events as JSON Lines, with the bytes that are hashed."
  )

  @Flag(help: "Headers only.")
  var withoutBodies = false

  @OptionGroup var filter: AuditFilterOptions
  @OptionGroup var client: ClientOptions

  func run() async throws {
    var request = filter.request
    request.withoutBodies = withoutBodies
    try await AuditOutput.print(request, client, asJSON: true)
  }
}

struct AuditShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "All there is of one event."
  )

  @Argument(help: "Its number.")
  var sequence: UInt64

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let event: Gatehouse_Plane_V1_AuditEvent = try await client.withClient { client in
      try await client.call(
        "/gatehouse.plane.v1.Audit/Show",
        Gatehouse_Plane_V1_ShowAuditRequest.with { $0.sequence = sequence }
      )
    }
    guard !output.json else { return try DataOutput.json(event) }
    try DataOutput.write(AuditText(DataOutput.style).whole(event))
  }
}

enum AuditOutput {
  /// Prints what matches, as it comes.
  ///
  /// - Returns: how many events there were.
  /// - Throws: `ClientError`.
  @discardableResult
  static func print(
    _ request: Gatehouse_Plane_V1_SearchAuditRequest,
    _ client: ClientOptions,
    asJSON: Bool
  ) async throws -> Int {
    let text = AuditText(DataOutput.style)
    var count = 0
    try await client.withClient { client in
      try await client.stream("/gatehouse.plane.v1.Audit/Search", request) {
        (event: Gatehouse_Plane_V1_AuditEvent) in
        count += 1
        if asJSON { try DataOutput.json(event) } else { try DataOutput.line(text.line(event)) }
      }
    }
    return count
  }
}
