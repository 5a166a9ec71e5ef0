internal import ArgumentParser
internal import Client
internal import Console
internal import SwiftProtobuf
internal import Wire

struct CallFollow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow",
    abstract: "Read a call's output from its start to its end.",
    discussion: "Exits as 'gatehouse exec' would. Ctrl-C leaves the call alone."
  )

  @OptionGroup var client: ClientOptions
  @OptionGroup var output: JSONOption

  @Argument(help: "The call's id.")
  var call: String

  func run() async throws {
    var end: Gatehouse_Tools_V1_Exit?
    try await client.withClient(failure: 125) { client in
      try await client.stream(
        "/gatehouse.tools.v1.Tools/Follow",
        Gatehouse_Tools_V1_FollowRequest.with { $0.callID = call }
      ) { (response: Gatehouse_Tools_V1_FollowResponse) in
        if case .exit(let exit) = response.message { end = exit }
        if output.json { try DataOutput.json(response) } else { try show(response) }
      }
    }
    guard let end else {
      throw ClientError("the plane ended without the call's end", exitCode: 125)
    }
    let status = ExitStatus(end)
    if !status.message.isEmpty { Talk.complain(status.message) }
    Exit.leave(with: status.code)
  }

  private func show(_ response: Gatehouse_Tools_V1_FollowResponse) throws {
    switch response.message {
    case .chunk(let chunk):
      let stream: StandardStream = chunk.stream == .stderr ? .error : .output
      try stream.write(Array(chunk.data))
    case .gap(let gap): Talk.say(Talk.style.dim("[\(gap.length) bytes are lost]"))
    case .state(let change): Talk.say(Talk.style.dim(Plain.text(change.detail)))
    case .exit, nil: break
    }
  }
}
