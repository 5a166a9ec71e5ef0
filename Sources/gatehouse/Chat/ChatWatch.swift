internal import Client
internal import SwiftProtobuf
internal import Wire

/// Shows a chat, across cut connections and restarts of the plane, each event once.
struct ChatWatch: Sendable {
  /// For how long a plane that went away is looked for.
  private static let patience = Duration.seconds(120)

  private let options: ClientOptions
  private let chat: String
  private let asJSON: Bool
  private let showsPrompts: Bool

  init(_ options: ClientOptions, _ chat: String, asJSON: Bool, showsPrompts: Bool = false) {
    self.options = options
    self.chat = chat
    self.asJSON = asJSON
    self.showsPrompts = showsPrompts
  }

  /// What is known so far.
  private struct Progress {
    var printer: ChatPrinter
    var seen: UInt64
    var end: Gatehouse_Plane_V1_TurnEnded?
  }

  private func progress(after seen: UInt64) -> Progress {
    Progress(
      printer: ChatPrinter(
        style: Talk.style,
        showsPrompts: showsPrompts,
        words: { try DataOutput.write($0) },
        talk: { Talk.say($0) }
      ),
      seen: seen
    )
  }

  /// Shows what comes behind an event to the end of the turn.
  func run(on client: PlaneClient, after seen: UInt64 = 0) async throws
    -> Gatehouse_Plane_V1_TurnEnded
  {
    var progress = progress(after: seen)
    do {
      try await follow(on: client, &progress)
    } catch let error as ClientError where error.isCut {
      sayCut(error)
      try await comeBack(&progress)
    }
    guard let end = progress.end else {
      throw ClientError("the plane ended without the turn's end; see: gatehouse chat show \(chat)")
    }
    return end
  }

  /// Shows what there is.
  func show(on client: PlaneClient) async throws {
    var progress = progress(after: 0)
    try await follow(on: client, past: true, &progress)
  }

  private func comeBack(_ progress: inout Progress) async throws {
    var patience = Patience(for: Self.patience)
    while true {
      let before = progress.seen
      var isBack = false
      do {
        return try await options.withClient { client in
          isBack = true
          Talk.say(Talk.style.dim("gatehouse: the plane is back; the chat goes on"))
          try await follow(on: client, &progress)
        }
      } catch let error as ClientError where error.isCut {
        // Each cut is told once, however often it is dialled for.
        if isBack { sayCut(error) }
        if progress.seen > before { patience = Patience(for: Self.patience) }
        guard let wait = patience.next() else { throw error }
        try await Task.sleep(for: wait)
      }
    }
  }

  private func sayCut(_ error: ClientError) {
    Talk.say(Talk.style.dim("gatehouse: \(error); the chat goes on, reconnecting"))
  }

  private func follow(
    on client: PlaneClient,
    past: Bool = false,
    _ progress: inout Progress
  ) async throws {
    try await client.stream(
      "/gatehouse.plane.v1.Chats/Follow",
      Gatehouse_Plane_V1_FollowChatRequest.with {
        $0.chatID = chat
        $0.after = progress.seen
        $0.past = past
      }
    ) { (update: Gatehouse_Plane_V1_FollowChatResponse) in
      progress.seen = update.sequence
      progress.end = if case .ended(let ended) = update.event { ended } else { nil }
      if asJSON { try DataOutput.json(update) } else { try progress.printer.show(update) }
    }
  }

  static func exitCode(of end: Gatehouse_Plane_V1_TurnEnded) -> Int32 {
    switch end.state {
    case .completed: 0
    case .interrupted: 130
    default: 1
    }
  }
}
