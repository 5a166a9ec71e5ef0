internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct CallDiff: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "What a call changed in files.",
    discussion: """
      What the call changed as a unified diff, from the workspace's root. Where a content is binary, too large or was \
      not kept, its digests are told instead. Standard error says what may be missing: a command's \
      changes are found by looking at the workspace before and after it, within bounds.

      Exits with 0 when all of it is known, whether anything changed or not; with 3 when something may \
      be missing; with 1 when there is no answer.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: DiffOptions

  @Argument(help: "The call's id.")
  var call: String

  func run() async throws {
    try await output.show(Gatehouse_Plane_V1_DiffRequest.with { $0.call = call }, client)
  }
}
