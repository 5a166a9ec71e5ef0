internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

struct AuditRotateKey: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate-key",
    abstract: "Exchange the key that signs the ledger's checkpoints.",
    discussion: """
      The old key signs the new one's name, in an event; from that event on only the new one signs. \
      Verifying follows from the first key to the last: whoever kept the first key needs no other. \
      Backups made before have the old key, and sign with it when they are restored. For auditors.
      """
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let answer: Gatehouse_Plane_V1_RotateAuditKeyResponse = try await client.withClient { client in
      try await client.call(
        "/gatehouse.plane.v1.Audit/RotateKey",
        Gatehouse_Plane_V1_RotateAuditKeyRequest()
      )
    }
    guard !output.json else { return try DataOutput.json(answer) }
    Talk.say("\(answer.oldKey) signs no more, as event \(answer.sequence) says; from now on:")
    try DataOutput.line(answer.newKey)
  }
}
