internal import Client
internal import EventLoop
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
    let client = try await stage.connect()
    await cast.add(client)
    let relay = try await startRelay(to: stage.addresses.mutual)
    await cast.add(relay)
    try await enroll(stage, client, relay, cast)

    screen.title("The model's key is not in the workspace")
    let isSafe = try await KeyHunt(key: key, client: client, screen: screen).run(stage)

    screen.title("The agent works: test, edit, test")
    let end = try await work(client)

    screen.title("The link breaks in the middle of a command")
    let isWhole = try await LinkCut(client: client, relay: relay, screen: screen).run()

    summary(isSafe: isSafe, end, isWhole: isWhole)
    return isSafe && isWhole && end.state == .completed
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
    screen.title("A workspace enrolls")
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

  private func work(_ client: PlaneClient) async throws -> Gatehouse_Plane_V1_TurnEnded {
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
    try await client.stream(
      "/gatehouse.plane.v1.Chats/Follow",
      Gatehouse_Plane_V1_FollowChatRequest.with { $0.chatID = chat.chatID }
    ) { (update: Gatehouse_Plane_V1_FollowChatResponse) in
      try printer.show(update)
      if case .ended(let ended) = update.event { end = ended }
    }
    return end
  }

  private func summary(isSafe: Bool, _ end: Gatehouse_Plane_V1_TurnEnded, isWhole: Bool) {
    screen.title("What you saw, in \(screen.elapsed)")
    show(isSafe, "the key stayed in the plane; the workspace worked without it")
    show(
      end.state == .completed,
      "the agent took \(end.steps) steps and \(end.calls) calls, each through the broker, over mTLS"
    )
    show(isWhole, "a command outlived its connection, and not a byte was lost or repeated")
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

  private func close(_ stage: DemoStage, _ cast: Cast) async {
    await cast.client?.close()
    await stage.close(await cast.daemon)
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
    screen.line("   \(program) run \(options) '\(prompt)'")
    screen.line(
      "   kill \(daemon.map { "\($0.pid) " } ?? "")\(stage.plane.pid)"
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
