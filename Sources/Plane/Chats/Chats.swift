internal import Agent
internal import Broker
internal import Calls
internal import Host
internal import Logging
internal import Identity
internal import Providers
internal import RPC
internal import SwiftProtobuf
internal import Wire

/// Conversations with agents: each one's turn runs here, whether or not anyone follows.
actor Chats {
  /// Most chats kept; beyond it the oldest that has ended is forgotten.
  static let maxChats = 1_000
  static let maxPromptBytes = 256 << 10

  private struct Entry {
    let owner: WorkspaceRecord.Owner
    let info: Gatehouse_Plane_V1_Chat
    let log: ChatLog
    /// Ends with the turn.
    let turn: Task<Void, Never>
  }

  private let broker: Broker
  private let registry: WorkspaceRegistry
  private let models: PlaneModels
  private let counters: PlaneCounters
  /// Most bytes of all chats' logs, likewise; running ones may go beyond it until they end.
  private let maxBytes: Int
  private let client = ModelClient()
  private var entries: [String: Entry] = [:]

  init(
    broker: Broker,
    registry: WorkspaceRegistry,
    models: PlaneModels,
    counters: PlaneCounters,
    maxBytes: Int
  ) {
    self.counters = counters
    self.maxBytes = maxBytes
    self.broker = broker
    self.registry = registry
    self.models = models
  }

  /// Starts a chat's one turn.
  func start(
    _ request: Gatehouse_Plane_V1_StartChatRequest,
    for principal: Principal
  ) async throws(PlaneError) -> Gatehouse_Plane_V1_StartChatResponse {
    guard !request.prompt.isEmpty, request.prompt.utf8.count <= Self.maxPromptBytes else {
      throw PlaneError(.invalidArgument, "a prompt has 1 byte to 256 KiB")
    }
    let workspace = try registry.record(request.workspace, for: principal)
    let model = try models.model(request.model, client: client, counters: counters)
    try makeRoom()
    let catalog = await broker.link(of: workspace.id).map { ToolCatalog(available: $0.tools) }
    let id = Self.makeID()
    let log = ChatLog()
    let runner = Runner(
      model: model,
      tools: BrokerTools(broker: broker, principal: principal, workspaceID: workspace.id)
    ) { [counters] update in
      log.append(update)
      if case .ended(let end) = update {
        let state = Self.name(of: end.state)
        counters.turnEnded(state)
        Self.report(end, state: state, chat: id, workspace: workspace.id, principal)
      }
    }
    let chat = Chat(instructions: Instructions.standard, catalog: catalog ?? ToolCatalog())
    counters.turnStarted()
    entries[id] = Entry(
      owner: WorkspaceRecord.Owner(principal),
      info: .with {
        $0.chatID = id
        $0.workspaceID = workspace.id
        $0.model = model.name
        $0.prompt = String(decoding: request.prompt.utf8.prefix(200), as: UTF8.self)
        $0.createdUnixUs = Int64(ThisProcess.unixMilliseconds) * 1000
      },
      log: log,
      turn: Task { _ = await runner.run(request.prompt, in: chat) }
    )
    return .with {
      $0.chatID = id
      $0.model = model.name
    }
  }

  private static func report(
    _ end: Gatehouse_Plane_V1_TurnEnded,
    state: String,
    chat: String,
    workspace: String,
    _ principal: Principal
  ) {
    Plane.log.info(
      "turn_ended",
      metadata: [
        "chat": "\(chat)", "workspace": "\(workspace)", "principal": "\(principal)",
        "state": "\(state)", "steps": "\(end.steps)", "calls": "\(end.calls)",
        "tokens_in": "\(end.inputTokens)", "tokens_out": "\(end.outputTokens)",
      ]
    )
  }

  private static func name(of state: Gatehouse_Plane_V1_ChatState) -> String {
    switch state {
    case .completed: "completed"
    case .interrupted: "interrupted"
    case .needsInput: "needs_input"
    case .needsApproval: "needs_approval"
    default: "failed"
    }
  }

  /// The log of a chat of `principal`.
  func log(of id: String, for principal: Principal) throws(PlaneError) -> ChatLog {
    try entry(id, principal).log
  }

  /// Stops a chat's turn; returns when nothing of it runs any more.
  func stop(
    _ id: String,
    for principal: Principal
  ) async throws(PlaneError) -> Gatehouse_Plane_V1_StopChatResponse {
    let entry = try entry(id, principal)
    let running = entry.log.runningCalls
    entry.turn.cancel()
    await entry.turn.value
    return .with {
      $0.state = entry.log.end?.state ?? .interrupted
      $0.callsCancelled = UInt32(clamping: running)
    }
  }

  /// The chats of `principal`, newest first.
  func list(for principal: Principal) -> [Gatehouse_Plane_V1_Chat] {
    let owner = WorkspaceRecord.Owner(principal)
    return entries.values.filter { $0.owner == owner }
      .sorted { $0.info.chatID > $1.info.chatID }
      .map { entry in
        var info = entry.info
        info.state = entry.log.end?.state ?? .working
        return info
      }
  }

  /// Stops all turns, and waits until nothing of them runs, but for `time` at most: a daemon that
  /// does not answer must not keep the plane from stopping.
  func stopAll(within time: Duration) async {
    let running = entries.values.filter { $0.log.end == nil }
    for entry in running { entry.turn.cancel() }
    let end = ContinuousClock.now + time
    while ContinuousClock.now < end, running.contains(where: { $0.log.end == nil }) {
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  private func entry(_ id: String, _ principal: Principal) throws(PlaneError) -> Entry {
    guard let entry = entries[id], entry.owner == WorkspaceRecord.Owner(principal) else {
      throw PlaneError(.notFound, "you have no chat '\(id)'")
    }
    return entry
  }

  /// Forgets the oldest chats that have ended, as far as there are too many or they are too large.
  ///
  /// - Throws: when those at work are too many, or too large, by themselves.
  private func makeRoom() throws(PlaneError) {
    var bytes = entries.values.reduce(0) { $0 + $1.log.keptBytes }
    // Ids sort by time.
    var ended = entries.filter { $0.value.log.end != nil }.keys.sorted(by: >)
    while entries.count >= Self.maxChats || bytes > maxBytes {
      guard let oldest = ended.popLast() else {
        throw PlaneError(
          .resourceExhausted,
          "\(entries.count) chats are at work, as much as the plane has room for; stop some"
        )
      }
      bytes -= entries.removeValue(forKey: oldest)?.log.keptBytes ?? 0
    }
  }

  private static func makeID() -> String {
    var random = SystemRandomNumberGenerator()
    return Identifier.make(prefix: "chat", now: ThisProcess.unixMilliseconds, random: &random)
  }
}
