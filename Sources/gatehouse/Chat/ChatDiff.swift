internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct ChatDiff: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "What all calls of a chat together changed in files.",
    discussion: """
      How files were before the chat's first call and are behind its last, as a unified diff, from the workspace's root. Where a content is binary, too large or was \
      not kept, its digests are told instead. Standard error says what may be missing: a command's \
      changes are found by looking at the workspace before and after it, within bounds.

      Exits with 0 when all of it is known, whether anything changed or not; with 3 when something may \
      be missing; with 1 when there is no answer.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: DiffOptions

  @Argument(help: "The chat's id.")
  var chat: String

  func run() async throws {
    try await output.show(Gatehouse_Plane_V1_DiffRequest.with { $0.chat = chat }, client)
  }
}
