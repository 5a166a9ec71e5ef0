internal import ArgumentParser
internal import Client
internal import SwiftProtobuf
internal import Wire

/// How changes of files are shown, and the showing.
struct DiffOptions: ParsableArguments {
  @Flag(help: "A line for each file instead of the diff.")
  var stat = false

  @OptionGroup var json: JSONOption

  /// What may be missing.
  static let incompleteCode: Int32 = 3

  func show(_ request: Gatehouse_Plane_V1_DiffRequest, _ client: ClientOptions) async throws {
    var screen = DiffScreen(isStat: stat, style: DataOutput.style)
    try await client.withClient { client in
      try await client.stream("/gatehouse.plane.v1.Audit/Diff", request) {
        (response: Gatehouse_Plane_V1_DiffResponse) in
        if json.json { try DataOutput.json(response) }
        let text = screen.take(response)
        if !json.json, !text.isEmpty { try DataOutput.write(text) }
      }
    }
    let end = screen.end()
    if !json.json { try DataOutput.write(end) }
    for remark in screen.remarks { Talk.say(Talk.style.yellow(Plain.text(remark))) }
    if screen.isIncomplete { Exit.leave(with: Self.incompleteCode) }
  }
}
