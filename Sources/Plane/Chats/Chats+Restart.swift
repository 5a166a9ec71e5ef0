internal import Agent
internal import Broker
internal import Host
internal import Identity
internal import Ledger
internal import Logging
internal import Providers
internal import SwiftProtobuf
internal import Wire

// From one plane to the next.
extension Chats {
  /// For how long after its start the plane waits for a workspace's daemon before calls are refused.
  private static let patience = Duration.seconds(60)

  /// Finds the chats of earlier planes, and goes on with the turns that had not ended. Once, before
  /// anybody is served.
  ///
  /// - Throws: when the ledger cannot be read.
  func restore() async throws {
    var unfinished = Set(try await atWork())
    for id in try ChatSpool.chats(in: state) where try await !isErased(id) {
      guard let found = try? ChatSpool.read(id, in: state), let spool = try? found.open(in: state)
      else {
        Plane.log.warning("chat_spool_unreadable", metadata: ["chat": "\(id)"])
        continue
      }
      // It takes a descriptor again when there is something to write.
      spool.close()
      let log = ChatLog(found.events, spool: spool)
      entries[id] = Entry(header: found.header, log: log)
      if log.end == nil { unfinished.insert(id) }
    }
    try await retell(leavingOut: unfinished)
    for id in unfinished.sorted() {
      do {
        try await resume(id)
      } catch {
        let reason = "it cannot be told again from the ledger: \(error)"
        Plane.log.error("chat_not_resumed", metadata: ["chat": "\(id)", "error": "\(reason)"])
        end(id, reason)
      }
    }
  }

  /// An earlier plane may have been killed when it had destroyed a chat's key and not yet the rest.
  private func isErased(_ id: String) async throws -> Bool {
    guard try await recorder.ledger.isErased("chat/\(id)") else { return false }
    do {
      try await forget(id)
    } catch {
      Plane.log.error("chat_not_removed", metadata: ["chat": "\(id)", "error": "\(error)"])
    }
    return true
  }

  /// Chats at work, as the ledger has it: a crash of the machine may have taken their spools, or the
  /// ends of these.
  private func atWork() async throws -> [String] {
    var chats: [String] = []
    for number in try await recorder.ledger.openChats() {
      let event = try await recorder.ledger.read(from: number, limit: 1).first
      if let event { chats.append(event.header.chat) }
    }
    return chats
  }

  /// Chats that have ended and have no spool, as behind a restored backup, are told again from the ledger;
  /// but for those older than all that have one, which were forgotten when there was no room.
  private func retell(leavingOut unfinished: Set<String>) async throws {
    let oldest = entries.keys.min() ?? ""
    let ledger = recorder.ledger
    let last = ledger.lastSequence
    guard last > 0 else { return }
    let page = try await ledger.search(
      [[.kind(.chatStarted)]],
      in: 1...last,
      newestFirst: true,
      limit: Self.maxChats
    )
    for number in page.sequences where entries.count < Self.maxChats {
      guard let id = try await ledger.read(from: number, limit: 1).first?.header.chat,
        id > oldest, entries[id] == nil, !unfinished.contains(id)
      else { continue }
      do {
        try await retell(id)
      } catch {
        // Erased, as a rule.
        Plane.log.info("chat_not_told", metadata: ["chat": "\(id)", "reason": "\(error)"])
      }
    }
  }

  private func retell(_ id: String) async throws {
    let events = try await recorder.ledger.events(ofChat: id)
    var history = ChatHistory()
    for event in events { try history.take(event) }
    guard let owner = history.owner, history.replay.end != nil else { return }
    let header = header(id, history, owner)
    let log = ChatLog(spool: try await begin(header))
    var told = ChatHistory()
    for event in events {
      try told.take(event)
      if event.header.kind == .chatEnded { log.catchUp(with: told.replay) }
    }
    entries[id] = Entry(header: header, log: log)
  }

  private func resume(_ id: String) async throws {
    let history = try await ChatHistory.read(id, from: recorder.ledger)
    guard let owner = history.owner else {
      // Whoever asked for it never got an answer.
      entries[id] = nil
      return ChatSpool.remove(id, in: state)
    }
    let entry = try await entry(id, history, owner)
    let replay = history.replay
    entry.log.begin()
    entry.log.catchUp(with: replay)
    guard replay.end == nil else {
      entries[id]?.chat = replay.chat
      return
    }
    let records = ChatRecords(
      recorder,
      chat: id,
      workspace: entry.header.workspace,
      for: owner,
      turns: UInt64(replay.turns),
      prompt: history.prompt.number
    )
    let model = try models.model(entry.header.model, client: client, counters: counters)
    guard let runner = runner(id, model, records, for: owner, patience: Self.patience) else {
      return
    }
    let elapsed = history.elapsed
    let text = entry.log.fold.text
    Plane.log.info("turn_resumed", metadata: ["chat": "\(id)", "step": "\(replay.place.step)"])
    turn(id, records) {
      await runner.resume(replay, cutText: text, after: elapsed)
    }
  }

  private func entry(
    _ id: String,
    _ history: ChatHistory,
    _ owner: Principal
  ) async throws -> Entry {
    if let entry = entries[id] { return entry }
    let header = header(id, history, owner)
    // Of earlier turns nothing is told: the ledger has them.
    let turns = UInt64(max(0, history.replay.turns - 1))
    let entry = Entry(header: header, log: ChatLog(turns: turns, spool: try await begin(header)))
    entries[id] = entry
    return entry
  }

  private func header(
    _ id: String,
    _ history: ChatHistory,
    _ owner: Principal
  ) -> ChatSpool.Header {
    ChatSpool.Header(
      chat: id,
      owner: WorkspaceRecord.Owner(owner),
      workspace: history.start?.workspace ?? "",
      model: history.model,
      prompt: history.replay.prompt ?? "",
      created: history.start?.time ?? 0
    )
  }

  /// Ends a turn that this plane cannot go on with. The next one tries again, so it is not kept.
  private func end(_ id: String, _ reason: String) {
    entries[id]?.log.keepNoMore()
    entries[id]?.log.append(
      .ended(
        .with {
          $0.state = .failed
          $0.reason = reason
        }
      )
    )
  }

  /// A chat as its last turn left it.
  func chat(_ id: String, _ principal: Principal) async throws(PlaneError) -> Chat {
    let entry = try entry(id, principal)
    if let chat = entry.chat { return chat }
    do {
      let history = try await ChatHistory.read(id, from: recorder.ledger)
      guard history.replay.end != nil || history.replay.turns == 0 else {
        throw ChatHistory.Unreadable(description: "its last turn has no end there")
      }
      return history.replay.chat
    } catch {
      throw PlaneError(
        .failedPrecondition,
        "chat '\(id)' cannot be told again from the ledger: \(error); start another one"
      )
    }
  }

  /// Leaves all turns as they are, for the next plane, and waits until nothing of them runs here, for
  /// `time` at most. Their calls go on.
  func suspendAll(within time: Duration) async {
    let running = entries.filter { $0.value.log.end == nil }
    for entry in running.values {
      entry.log.suspend()
      entry.turn?.records.suspend()
      entry.turn?.task.cancel()
    }
    let end = ContinuousClock.now + time
    while ContinuousClock.now < end, running.keys.contains(where: { entries[$0]?.turn != nil }) {
      try? await Task.sleep(for: .milliseconds(10))
    }
  }
}

extension ChatLog {
  /// Tells what the ledger has and followers were not told before the process ended.
  func catchUp(with replay: ChatReplay) {
    if fold.turns < UInt64(replay.turns), let prompt = replay.prompt {
      append(.init(prompt: prompt))
    }
    let told = fold.steps
    for (index, answer) in replay.answers.enumerated().dropFirst(told) {
      tell(answer.text)
      append(.step(.init(step: index + 1, usage: answer.usage)))
    }
    for result in replay.results {
      append(
        .toolStarted(
          .with {
            $0.callID = result.call
            $0.tool = result.tool
          }
        )
      )
      append(.init(ended: result.result, callID: result.call))
    }
    if let end = replay.end { append(.ended(.init(end, of: replay.chat))) }
  }

  /// What of an answer was not told.
  private func tell(_ text: String) {
    let told = fold.text
    let isRest = text.hasPrefix(told)
    let rest = isRest ? String(text.dropFirst(told.count)) : text
    guard !isRest || !rest.isEmpty else { return }
    append(
      .text(
        .with {
          $0.text = rest
          $0.anew = !isRest
        }
      )
    )
  }
}
