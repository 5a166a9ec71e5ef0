internal import Client
internal import Console
internal import SwiftProtobuf
internal import Wire

/// Shows a call's output, across cut connections and restarts of the plane, each byte once.
struct CallWatch: Sendable {
  /// For how long a plane that went away is looked for.
  private static let patience = Duration.seconds(120)

  private let options: ClientOptions
  private let call: String
  private let asJSON: Bool

  init(_ options: ClientOptions, _ call: String, asJSON: Bool) {
    self.options = options
    self.call = call
    self.asJSON = asJSON
  }

  /// What is known so far.
  private struct Progress {
    /// The first byte that was not shown, of each stream.
    var positions: [Gatehouse_Tools_V1_Stream: UInt64]
    var end: Gatehouse_Tools_V1_Exit?
  }

  /// Shows what comes from `positions` on, to the call's end.
  ///
  /// - Throws: `ClientError`, with 125 as its exit code.
  func run(
    from positions: [Gatehouse_Tools_V1_Stream: UInt64] = [:]
  ) async throws -> Gatehouse_Tools_V1_Exit {
    var progress = Progress(positions: positions)
    var patience: Patience?
    var wasThere = false
    while true {
      do {
        try await options.withClient(failure: 125) { client in
          if patience != nil { say("gatehouse: the plane is back; the call goes on") }
          (patience, wasThere) = (nil, true)
          try await follow(on: client, &progress)
        }
        guard let end = progress.end else {
          throw ClientError("the plane ended without the call's end", exitCode: 125)
        }
        return end
      } catch let error as ClientError where error.isCut && wasThere {
        // Each cut is told once, however often it is dialled for.
        if patience == nil { say("gatehouse: \(error); reconnecting") }
        patience = patience ?? Patience(for: Self.patience)
        guard let wait = patience?.next() else { throw error }
        try await Task.sleep(for: wait)
      }
    }
  }

  private func follow(on client: PlaneClient, _ progress: inout Progress) async throws {
    let from = progress.positions
    try await client.stream(
      "/gatehouse.tools.v1.Tools/Follow",
      Gatehouse_Tools_V1_FollowRequest.with { request in
        request.callID = call
        request.from = from.map { stream, offset in
          .with {
            $0.stream = stream
            $0.offset = offset
          }
        }
      }
    ) { (response: Gatehouse_Tools_V1_FollowResponse) in
      if asJSON { try DataOutput.json(response) } else { try show(response) }
      switch response.message {
      case .chunk(let chunk):
        progress.positions[chunk.stream] = chunk.offset &+ UInt64(chunk.data.count)
      case .gap(let gap): progress.positions[gap.stream] = gap.offset &+ gap.length
      case .exit(let exit): progress.end = exit
      case .state, nil: break
      }
    }
  }

  private func show(_ response: Gatehouse_Tools_V1_FollowResponse) throws {
    switch response.message {
    case .chunk(let chunk):
      let stream: StandardStream = chunk.stream == .stderr ? .error : .output
      try stream.write(Array(chunk.data))
    case .gap(let gap): say("[\(gap.length) bytes are lost]")
    case .state(let change): say(Plain.text(change.detail))
    case .exit, nil: break
    }
  }

  private func say(_ text: String) { Talk.say(Talk.style.dim(text)) }
}
