internal import Agent
internal import Broker
internal import Calls
internal import Crypto
internal import EventLoop
internal import Host
internal import Identity
internal import Logging
internal import Providers
internal import SwiftProtobuf
internal import Wire

/// Conversations with agents: each one's turn runs here, whether or not anyone follows.
///
/// A chat is the fold of its events in the ledger, and what followers were told lies in its spool: a
/// plane that starts anew goes on with each turn where it was (`Chats+Restart.swift`).
actor Chats {
  /// Most chats kept; beyond it the oldest that has ended is forgotten.
  static let maxChats = 1_000
  static let maxPromptBytes = 256 << 10

  struct Entry {
    let header: ChatSpool.Header
    let log: ChatLog
    /// Ends with the turn; nil: an earlier plane's, which has ended.
    var turn: Turn?
    /// As the last turn left it; nil: the ledger knows.
    var chat: Chat?
  }

  struct Turn {
    let records: ChatRecords
    let task: Task<Void, Never>
  }

  let state: StateFolder
  let disk: WorkerPool
  let broker: Broker
  let registry: WorkspaceRegistry
  let models: PlaneModels
  let counters: PlaneCounters
  let recorder: Recorder
  /// Most bytes of all chats' logs, likewise; running ones may go beyond it until they end.
  let maxBytes: Int
  let client = ModelClient()
  var entries: [String: Entry] = [:]
  /// Chats that are being recorded, and are not among the entries yet.
  private var beginning = 0

  init(
    in state: StateFolder,
    disk: WorkerPool,
    broker: Broker,
    registry: WorkspaceRegistry,
    models: PlaneModels,
    counters: PlaneCounters,
    recorder: Recorder,
    maxBytes: Int
  ) {
    self.state = state
    self.disk = disk
    self.recorder = recorder
    self.counters = counters
    self.maxBytes = maxBytes
    self.broker = broker
    self.registry = registry
    self.models = models
  }

  /// Starts a chat with its first turn.
  func start(
    _ request: Gatehouse_Plane_V1_StartChatRequest,
    for principal: Principal
  ) async throws(PlaneError) -> Gatehouse_Plane_V1_StartChatResponse {
    try Self.check(request.prompt)
    let workspace = try registry.record(request.workspace, for: principal)
    let model = try models.model(request.model, client: client, counters: counters)
    try makeRoom()
    // Others may begin while this one is recorded.
    beginning += 1
    defer { beginning -= 1 }
    let tools = await broker.link(of: workspace.id)?.tools ?? []
    let id = Self.makeID()
    let records = ChatRecords(recorder, chat: id, workspace: workspace.id, for: principal)
    try await records.begin(
      model: model.name,
      workspaceName: workspace.name,
      tools: tools
    )
    let header = ChatSpool.Header(
      chat: id,
      owner: WorkspaceRecord.Owner(principal),
      workspace: workspace.id,
      model: model.name,
      prompt: request.prompt,
      created: Int64(ThisProcess.unixMilliseconds) * 1000
    )
    let log = ChatLog(spool: try await begin(header))
    let catalog = tools.isEmpty ? ToolCatalog() : ToolCatalog(available: tools)
    let chat = Chat(instructions: Instructions.standard, catalog: catalog)
    entries[id] = Entry(header: header, log: log)
    run(request.prompt, in: chat, model, records, for: principal)
    await begun(log, after: 0)
    return .with {
      $0.chatID = id
      $0.model = model.name
    }
  }

  /// Waits until the message is kept, and told: who is answered finds the turn at the next plane too.
  private func begun(_ log: ChatLog, after last: UInt64) async {
    // Cancelled: nobody waits for the answer any more.
    _ = try? await log.events(after: last)
  }

  /// Begins a chat's next turn.
  func send(
    _ request: Gatehouse_Plane_V1_SendChatRequest,
    for principal: Principal
  ) async throws(PlaneError) -> Gatehouse_Plane_V1_SendChatResponse {
    try Self.check(request.prompt)
    let id = request.chatID
    let header = try entry(id, principal).header
    try checkIdle(id, principal)
    // Its end is told before it is over here.
    await entries[id]?.turn?.task.value
    let model = try models.model(header.model, client: client, counters: counters)
    guard registry.record(header.workspace) != nil else {
      throw PlaneError(.failedPrecondition, "the chat's workspace was deleted; start another chat")
    }
    let chat = try await self.chat(id, principal)
    // Others may have sent something meanwhile.
    try checkIdle(id, principal)
    try makeRoom()
    let entry = try entry(id, principal)
    guard entry.log.keptBytes < maxBytes / 4 else {
      throw PlaneError(.resourceExhausted, "the chat has grown too long; start another one")
    }
    let records = ChatRecords(
      recorder,
      chat: id,
      workspace: header.workspace,
      for: principal,
      turns: entry.log.fold.turns
    )
    let (turn, after) = (entry.log.fold.turns + 1, entry.log.last)
    entry.log.begin()
    run(request.prompt, in: chat, model, records, for: principal)
    await begun(entry.log, after: after)
    return .with {
      $0.turn = turn
      $0.after = after
    }
  }

  private static func check(_ prompt: String) throws(PlaneError) {
    guard !prompt.isEmpty, prompt.utf8.count <= Self.maxPromptBytes else {
      throw PlaneError(.invalidArgument, "a prompt has 1 byte to 256 KiB")
    }
  }

  private func checkIdle(_ id: String, _ principal: Principal) throws(PlaneError) {
    guard try entry(id, principal).log.end != nil else {
      throw PlaneError(
        .failedPrecondition,
        "the chat is at work; wait for the end of its turn, or stop it: gatehouse chat stop \(id)"
      )
    }
  }

  func begin(_ header: ChatSpool.Header) async throws(PlaneError) -> ChatSpool {
    do {
      return try await disk.run { [state] in try ChatSpool.begin(header, in: state) }
    } catch {
      throw PlaneError(.unavailable, "the chat cannot be kept: \(error)")
    }
  }

  private func run(
    _ prompt: String,
    in chat: Chat,
    _ model: any Model,
    _ records: ChatRecords,
    for principal: Principal
  ) {
    let id = records.chat
    guard let runner = runner(id, model, records, for: principal) else { return }
    turn(id, records) { await runner.run(prompt, in: chat) }
  }

  /// Has a turn run, and keeps what the chat is then.
  func turn(
    _ id: String,
    _ records: ChatRecords,
    _ body: @escaping @Sendable () async -> Chat
  ) {
    counters.turnStarted()
    let task = Task {
      let chat = await body()
      self.turnOver(id, records, chat)
    }
    entries[id]?.turn = Turn(records: records, task: task)
  }

  private func turnOver(_ id: String, _ records: ChatRecords, _ chat: Chat) {
    entries[id]?.turn = nil
    if !records.isSuspended, chat.state != .working { entries[id]?.chat = chat }
  }

  func runner(
    _ id: String,
    _ model: any Model,
    _ records: ChatRecords,
    for principal: Principal,
    patience: Duration = .zero
  ) -> Runner? {
    guard let entry = entries[id] else { return nil }
    let (log, workspace) = (entry.log, entry.header.workspace)
    let tools = BrokerTools(
      broker: broker,
      principal: principal,
      workspaceID: workspace,
      chatID: id,
      records: records,
      log: log,
      patience: patience
    )
    return Runner(model: model, tools: tools, recorder: records) { [counters] update in
      log.append(update)
      guard case .ended(let end) = update, !records.isSuspended else { return }
      let state = Self.name(of: end.state)
      counters.turnEnded(state)
      Self.report(end, state: state, chat: id, workspace: workspace, principal)
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
    let running = entry.log.fold.running.count
    entry.turn?.task.cancel()
    await entry.turn?.task.value
    return .with {
      $0.state = entry.log.end?.state ?? .interrupted
      $0.callsCancelled = UInt32(clamping: running)
    }
  }

  /// The chats of `principal`, newest first.
  func list(for principal: Principal) -> [Gatehouse_Plane_V1_Chat] {
    let owner = WorkspaceRecord.Owner(principal)
    return entries.values.filter { $0.header.owner == owner }
      .sorted { $0.header.chat > $1.header.chat }
      .map { entry in
        .with {
          $0.chatID = entry.header.chat
          $0.workspaceID = entry.header.workspace
          $0.model = entry.header.model
          $0.prompt = entry.header.prompt
          $0.createdUnixUs = entry.header.created
          $0.state = entry.log.end?.state ?? .working
          $0.turns = entry.log.fold.turns
        }
      }
  }

  func entry(_ id: String, _ principal: Principal) throws(PlaneError) -> Entry {
    guard let entry = entries[id], entry.header.owner == WorkspaceRecord.Owner(principal) else {
      throw PlaneError(.notFound, "you have no chat '\(id)'")
    }
    return entry
  }

  /// Forgets a chat that was erased: nobody is to read it any more, here or on the disk.
  ///
  /// - Throws: when it cannot be removed there.
  func forget(_ id: String) async throws {
    entries[id]?.turn?.task.cancel()
    entries[id]?.log.keepNoMore()
    entries[id] = nil
    try await disk.run { [state] in try ChatSpool.erase(id, in: state) }
  }

  /// Forgets chats that have ended, as far as there are too many or they are too large: always the oldest of
  /// whoever has most of them, so that nobody's go for another's many.
  ///
  /// - Throws: when those at work are too many, or too large, by themselves.
  private func makeRoom() throws(PlaneError) {
    var bytes = entries.values.reduce(0) { $0 + $1.log.keptBytes }
    guard entries.count + beginning >= Self.maxChats || bytes > maxBytes else { return }
    // Ids sort by time.
    let oldestLast = entries.filter { $0.value.log.end != nil }.sorted { $0.key > $1.key }
    var ended = Dictionary(grouping: oldestLast, by: \.value.header.owner).mapValues {
      $0.map(\.key)
    }
    while entries.count + beginning >= Self.maxChats || bytes > maxBytes {
      let most = ended.max { $0.value.count < $1.value.count }?.key
      guard let most, let oldest = ended[most]?.popLast() else {
        throw PlaneError(
          .resourceExhausted,
          "\(entries.count) chats are at work, as much as the plane has room for; stop some"
        )
      }
      bytes -= entries.removeValue(forKey: oldest)?.log.keptBytes ?? 0
      ChatSpool.remove(oldest, in: state)
    }
  }

  private static func makeID() -> String {
    var random = SecureRandom.Generator()
    return Identifier.make(prefix: "chat", now: ThisProcess.unixMilliseconds, random: &random)
  }
}
