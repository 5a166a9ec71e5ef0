internal import Client
internal import EventLoop
internal import FoundationEssentials
internal import Host
internal import SwiftProtobuf
internal import Wire

/// The demo, chapter by chapter.
struct DemoStory: Sendable {
  /// The model's; `nil` when there is none, and a made-up one stands in for it.
  let key: String?
  let usesScript: Bool
  /// The user's own folder; `nil` for the small project of ours.
  let root: String?
  let prompt: String
  let keeps: Bool
  private let screen = DemoScreen()

  init(key: String?, usesScript: Bool, root: String?, prompt: String, keeps: Bool) {
    self.key = key
    self.usesScript = usesScript
    self.root = root
    self.prompt = prompt
    self.keeps = keeps
  }

  /// - Returns: whether everything went as it should. All processes have ended, unless kept.
  func tell() async throws -> Bool {
    let key = key ?? Self.madeUpKey()
    screen.line(screen.style.bold("Gatehouse: an agent in the plane mends code in a workspace"))
    screen.note(
      usesScript
        ? "GATEHOUSE_MODEL_URL is not set: a script plays the model"
          + (self.key == nil ? ", and a made-up key stands in for a real one" : "")
        : "the model of your environment does the work"
    )
    let stage = try await DemoStage.open(
      root: root,
      secrets: ["OPENAI_API_KEY=\(key)"] + DemoEnvironment.models,
      usesScript: usesScript
    )
    let cast = Cast()
    do {
      let isGood = try await tell(stage, key, cast)
      if keeps { await leave(stage, cast) } else { await close(stage, cast) }
      return isGood
    } catch let error as TimedStep.Overdue {
      await close(stage, cast, keepsFolder: true)
      throw ClientError("\(error); what its parts say is in \(stage.folder)/*.log")
    } catch {
      await close(stage, cast)
      throw error
    }
  }

  /// What has been started so far.
  private final actor Cast {
    var client: PlaneClient?
    var relay: CuttableRelay?
    var daemon: DetachedProcess?

    func add(_ client: PlaneClient) { self.client = client }
    func add(_ relay: CuttableRelay) { self.relay = relay }
    func add(_ daemon: DetachedProcess) { self.daemon = daemon }
  }

  private func tell(_ stage: DemoStage, _ key: String, _ cast: Cast) async throws -> Bool {
    let (client, relay) = try await chapter("A workspace enrolls", within: .seconds(60)) {
      let client = try await stage.connect()
      await cast.add(client)
      let relay = try await startRelay(to: stage.addresses.mutual)
      await cast.add(relay)
      try await enroll(stage, client, relay, cast)
      return (client, relay)
    }
    let isSafe = try await chapter(
      "The model's key is not in the workspace",
      within: .seconds(120)
    ) { try await KeyHunt(key: key, client: client, screen: screen).run(stage) }
    let (end, changed) = try await chapter(
      "The agent works: test, edit, test",
      within: Self.turnLimit(usesScript: usesScript)
    ) { try await work(client) }
    let isWhole = try await chapter(
      "The link breaks in the middle of a command",
      within: .seconds(180)
    ) {
      try await CountedLines(client: client, screen: screen).run {
        let text = "✂ the network goes away: every connection is dropped"
        screen.line("   " + screen.style.red(text))
        await relay.cut()
      }
    }
    let goesOn = try await chapter(
      "The plane is killed in the middle of a command, and starts again",
      within: .seconds(180)
    ) { try await killPlane(stage, client) }
    let isTold = try await chapter("Who changed the file, and why", within: .seconds(60)) {
      try await why(try await stage.connect(), changed.last)
    }
    summary(isSafe: isSafe, end, isWhole: isWhole, goesOn: goesOn, isTold: isTold)
    return isSafe && isWhole && goesOn && isTold && end.state == .completed
  }

  /// A chapter, with its title. The limits are far above what any took on a busy machine; one that is
  /// reached means that something hangs.
  private func chapter<Value: Sendable>(
    _ title: String,
    within limit: Duration,
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    screen.title(title)
    return try await TimedStep(title, within: limit).run(body)
  }

  /// A turn has a limit of its own, half an hour; a script's takes seconds.
  private static func turnLimit(usesScript: Bool) -> Duration {
    usesScript ? .seconds(180) : .seconds(35 * 60)
  }

  private func killPlane(_ stage: DemoStage, _ client: PlaneClient) async throws -> Bool {
    var lines = CountedLines(client: client, screen: screen)
    lines.reconnect = { try await stage.connect() }
    return try await lines.run {
      screen.line("   " + screen.style.red("✂ kill -9 of the plane, and a new one in its place"))
      try await stage.plane.killAndRestart()
    }
  }

  /// Prints what led to the change of a file.
  private func why(_ client: PlaneClient, _ path: String?) async throws -> Bool {
    guard let path else {
      screen.note("the agent changed no file")
      await client.close()
      return true
    }
    screen.command("gatehouse audit why \(path)")
    let why: Gatehouse_Plane_V1_WhyResponse = try await client.call(
      "/gatehouse.plane.v1.Audit/Why",
      Gatehouse_Plane_V1_WhyRequest.with { $0.subject = path }
    )
    await client.close()
    let text = AuditText(screen.style)
    for event in why.events { screen.line("   " + text.line(event)) }
    return why.events.contains { $0.kind == "chat.prompted" }
  }

  private func startRelay(to plane: HostPort) async throws -> CuttableRelay {
    guard let target = try SocketAddress.resolve(plane.host, port: plane.port).first else {
      throw ClientError("no address for \(plane)")
    }
    let relay = try CuttableRelay(to: target)
    try await relay.start()
    return relay
  }

  private func enroll(
    _ stage: DemoStage,
    _ client: PlaneClient,
    _ relay: CuttableRelay,
    _ cast: Cast
  ) async throws {
    let start = ContinuousClock.now
    screen.command("gatehouse workspace create \(DemoStage.workspace)")
    let made: Gatehouse_Plane_V1_CreateWorkspaceResponse = try await client.call(
      "/gatehouse.plane.v1.Workspaces/Create",
      Gatehouse_Plane_V1_CreateWorkspaceRequest.with { $0.name = DemoStage.workspace }
    )
    screen.note("\(made.workspace.id), with a join token that works once")
    let address = HostPort(host: "127.0.0.1", port: relay.address.port)
    let daemon = try stage.startDaemon(through: address, token: made.joinToken)
    await cast.add(daemon)
    try await stage.waitForLink(client, daemon)
    let time = DemoScreen.text(ContinuousClock.now - start)
    screen.good("it made its own key, got a certificate for hours, and linked, in \(time)")
    screen.note(
      Kernel.landlockVersion > 0
        ? "its commands can't see the plane's state, the daemon's key, or your credentials (Landlock)"
        : "this kernel has no Landlock: commands here can read what your account can"
    )
  }

  /// - Returns: how the turn ended, and the paths of the files that it changed.
  private func work(
    _ client: PlaneClient
  ) async throws -> (Gatehouse_Plane_V1_TurnEnded, changed: [String]) {
    screen.command("gatehouse run \"\(prompt)\"")
    let chat: Gatehouse_Plane_V1_StartChatResponse = try await client.call(
      "/gatehouse.plane.v1.Chats/Start",
      Gatehouse_Plane_V1_StartChatRequest.with {
        $0.workspace = DemoStage.workspace
        $0.prompt = prompt
        $0.model = usesScript ? "script" : ""
      }
    )
    var printer = ChatPrinter(
      style: screen.style,
      words: { [screen] in screen.words($0) },
      talk: { [screen] in screen.line("   " + $0) }
    )
    var end = Gatehouse_Plane_V1_TurnEnded()
    var paths: [String: String] = [:]
    var changed: [String] = []
    try await client.stream(
      "/gatehouse.plane.v1.Chats/Follow",
      Gatehouse_Plane_V1_FollowChatRequest.with { $0.chatID = chat.chatID }
    ) { (update: Gatehouse_Plane_V1_FollowChatResponse) in
      try printer.show(update)
      switch update.event {
      case .toolStarted(let call): paths[call.callID] = Self.path(in: call.argumentsJson)
      case .toolEnded(let call):
        if !call.diff.isEmpty, let path = paths[call.callID] { changed.append(path) }
      case .ended(let ended): end = ended
      default: break
      }
    }
    return (end, changed)
  }

  /// The path that a file tool was given.
  private static func path(in arguments: String) -> String? {
    struct Arguments: Decodable { let path: String }
    return try? JSONDecoder().decode(Arguments.self, from: Data(arguments.utf8)).path
  }

  private func summary(
    isSafe: Bool,
    _ end: Gatehouse_Plane_V1_TurnEnded,
    isWhole: Bool,
    goesOn: Bool,
    isTold: Bool
  ) {
    screen.title("What you saw, in \(screen.elapsed)")
    show(isSafe, "the key stayed in the plane; the workspace worked without it")
    show(
      end.state == .completed,
      "the agent took \(end.steps) steps and \(end.calls) calls, each through the broker, over mTLS"
    )
    show(isWhole, "a command outlived its connection, and not a byte was lost or repeated")
    show(goesOn, "another outlived the plane itself")
    show(isTold, "the ledger says who asked for the change, by which prompt and call")
    guard !keeps else { return }
    let program = Programs.find("gatehouse") == nil ? Self.ownPath : "gatehouse"
    screen.line("")
    screen.line(screen.style.bold("To try next"))
    screen.line("   \(program) demo --keep")
    if self.key == nil {
      screen.line("   \(program) plane --state ~/gatehouse")
    } else {
      screen.line("   \(program) demo --repo . --prompt 'Find a bug and mend it'")
    }
    screen.line("   \(program) doctor")
  }

  private func show(_ isGood: Bool, _ text: String) {
    if isGood { screen.good(text) } else { screen.bad("not so: " + text) }
  }

  private func close(_ stage: DemoStage, _ cast: Cast, keepsFolder: Bool = false) async {
    await cast.client?.close()
    await stage.close(await cast.daemon, keepsFolder: keepsFolder)
    await cast.relay?.close()
  }

  /// Leaves plane and daemon up. The relay ends with us, so the daemon is started anew, without it.
  private func leave(_ stage: DemoStage, _ cast: Cast) async {
    if let old = await cast.daemon { await DemoStage.end(old) }
    let daemon = try? stage.startDaemon(through: stage.addresses.mutual, token: nil)
    if let daemon, let client = await cast.client { try? await stage.waitForLink(client, daemon) }
    await cast.client?.close()
    await cast.relay?.close()
    let program = Programs.find("gatehouse") == nil ? Self.ownPath : "gatehouse"
    let options = "--state \(stage.state)"
    screen.line("")
    screen.line(screen.style.bold("Everything is up. To try next"))
    screen.line("   \(program) exec \(options) \(DemoStage.workspace) -- python3 -m unittest")
    // The plane has a key for show, which must not go anywhere.
    let model = usesScript ? " --model script" : ""
    screen.line("   \(program) run \(options)\(model) '\(prompt)'")
    screen.line(
      "   kill \(daemon.map { "\($0.pid) " } ?? "")\(await stage.plane.process.pid)"
        + screen.style.dim("   ends it; the files are in \(stage.folder)")
    )
  }

  private static var ownPath: String {
    (try? ThisProcess.sibling("gatehouse")) ?? "gatehouse"
  }

  private static func madeUpKey() -> String {
    var random = SystemRandomNumberGenerator()
    return "sk-demo-" + String(random.next(), radix: 36) + String(random.next(), radix: 36)
  }
}
