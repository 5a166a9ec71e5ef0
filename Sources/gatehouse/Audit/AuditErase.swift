internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct AuditErase: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "erase",
    abstract: "Make a chat's content unreadable for ever; the record stays and says so.",
    discussion: """
      Destroys the key that the chat's prompts, answers, results and calls are sealed with. Its events \
      stay and verify. For the chat's owner and for auditors. Copies and backups made before keep theirs.
      """
  )

  @Argument(help: "The chat's id.")
  var chat: String

  @Option(help: "Why, or under which rule; it is recorded.")
  var rule: String

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let answer: Gatehouse_Plane_V1_EraseAuditResponse = try await client.withClient { client in
      try await client.call(
        "/gatehouse.plane.v1.Audit/Erase",
        Gatehouse_Plane_V1_EraseAuditRequest.with {
          $0.chat = chat
          $0.rule = rule
        }
      )
    }
    guard !output.json else { return try DataOutput.json(answer) }
    Talk.say("\(chat): erased, as event \(answer.sequence) says")
  }
}
