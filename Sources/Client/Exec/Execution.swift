internal import Console
internal import EventLoop
internal import FoundationEssentials
internal import RPC
internal import SwiftProtobuf
internal import Synchronization
package import Wire

/// One call that this process owns: its input, output, signals and end. `gatehouse exec` and
/// `gatehouse call invoke`.
package struct Execution: Sendable {
  private let client: PlaneClient
  let start: Gatehouse_Tools_V1_InvokeStart
  let options: Options

  /// What of this process is joined to the call.
  package struct Options: Sendable {
    /// Standard input goes to the command.
    package var sendsInput = false
    /// Standard input is a terminal in raw mode.
    package var isTerminal = false
    /// People are told when the call waits or its link is cut.
    package var talk: @Sendable (String) -> Void = { _ in }
    /// Makes another connection when the one there is was cut: the execution goes on on that one. Nil:
    /// it ends with its connection.
    package var reconnect: (@Sendable () async throws -> PlaneClient)?
    /// For how long that is tried.
    package var patience = Duration.seconds(120)
    /// Takes each message of the plane's before it is acted on, in order; may block.
    package var observe: (@Sendable (Gatehouse_Tools_V1_InvokeResponse) throws -> Void)?
    /// Takes the output, in order; may block. Our own two streams, unless set.
    package var write: @Sendable (Gatehouse_Tools_V1_Stream, [UInt8]) throws -> Void = {
      let stream: StandardStream = $0 == .stderr ? .error : .output
      try stream.write($1)
    }

    package init() {}
  }

  package init(
    _ client: PlaneClient,
    _ start: Gatehouse_Tools_V1_InvokeStart,
    _ options: Options
  ) {
    self.client = client
    var start = start
    if options.reconnect != nil {
      // What there is to come back to it by.
      if start.idempotencyKey.isEmpty { start.idempotencyKey = Self.makeKey() }
      start.acknowledges = true
      start.resumes = true
      // A plane waits for ten minutes at most.
      start.graceMs = UInt32(min(options.patience, .seconds(600)).components.seconds) * 1_000
    }
    self.start = start
    self.options = options
  }

  private static func makeKey() -> String {
    var random = SystemRandomNumberGenerator()
    let (high, low): (UInt64, UInt64) = (random.next(), random.next())
    return String(high, radix: 36) + "-" + String(low, radix: 36)
  }

  /// Runs the call to its end. SIGINT, SIGTERM and SIGHUP cancel it, and it returns when the end is
  /// confirmed; a second one returns at once, and the plane cancels by itself.
  ///
  /// - Throws: `ClientError`, `ConsoleError`.
  package func run(signals: AsyncStream<Int32>? = nil) async throws -> Gatehouse_Tools_V1_Exit {
    do {
      let (client, stream) = try await begin()
      let parts = Parts(client, stream, first: self.client, write: options.write)
      do {
        let exit = try await run(parts, signals)
        await parts.link.close()
        return exit
      } catch {
        await leave(parts)
        await parts.link.close()
        throw error
      }
    } catch let status as RPCStatus {
      throw ClientError(status, exitCode: 125)
    } catch let error as ClientError {
      throw error.with(exitCode: error.exitCode == 1 ? 125 : error.exitCode)
    }
  }

  /// Opens the first stream: on another connection where a plane about to stop takes none on this one.
  private func begin() async throws -> (PlaneClient, ClientStream) {
    var client = client
    var patience = Patience(for: options.patience)
    while true {
      do {
        let stream = try await client.open("/gatehouse.tools.v1.Tools/Invoke")
        try await stream.send(request { $0.start = start })
        return (client, stream)
      } catch {
        if client != self.client { await client.close() }
        guard let status = error as? RPCStatus, status.isUnprocessed else { throw error }
        client = try await another(status, &patience)
      }
    }
  }

  /// - Throws: `status` when there is none in time.
  private func another(_ status: RPCStatus, _ patience: inout Patience) async throws -> PlaneClient
  {
    guard let reconnect = options.reconnect else { throw status }
    while let wait = patience.next() {
      try await Task.sleep(for: wait)
      do {
        return try await reconnect()
      } catch let error as ClientError where error.isCut {
        continue
      }
    }
    throw status
  }

  /// Has the plane cancel the call now, if it is there: a connection that merely ends looks like one
  /// that was cut, and its owner is waited for.
  private func leave(_ parts: Parts) async {
    let now = parts.link.now
    await now.stream.cancel()
    // Who asked for the end already need not be heard once more.
    if parts.wantsCancel.current == nil { await now.client.finish() }
  }

  /// Each of the tasks can be cancelled wherever it waits: the first that fails ends them all.
  private func run(
    _ parts: Parts,
    _ signals: AsyncStream<Int32>?
  ) async throws -> Gatehouse_Tools_V1_Exit {
    do {
      return try await withThrowingTaskGroup(of: Gatehouse_Tools_V1_Exit?.self) { group in
        group.addTask { try await receive(parts) }
        if let signals {
          group.addTask { try await watch(signals, parts) }
          group.addTask { try await cancelWhenAsked(parts) }
        }
        if options.sendsInput {
          group.addTask { await readInput(parts) }
          group.addTask { await sendInput(parts) }
        }
        defer { group.cancelAll() }
        while let end = try await group.next() {
          if let exit = end { return exit }
        }
        preconditionFailure("`receive` gives an exit or throws")
      }
    } catch let status as RPCStatus {
      // The plane is there, and says that it does not run it.
      guard let callID = parts.callID.current, status.code == .unavailable, !status.isFinal
      else { throw status }
      throw ClientError(
        "lost: the plane at \(client.address) is gone (\(status.message)); how call \(callID) ended "
          + "is not known",
        exitCode: 125
      )
    }
  }

  /// What the tasks of one execution share.
  final class Parts: Sendable {
    let link: ExecutionLink
    let input = InputWindow()
    let output: OutputSink
    let callID = AsyncValue<String>()
    /// Another one than the first, if that had not come so far as to be kept.
    let latestCall = Mutex("")
    /// Set while the plane is looked for.
    let retry = Mutex<Patience?>(nil)
    /// Set when the call is to end.
    let wantsCancel = AsyncValue<Void>()

    init(
      _ client: PlaneClient,
      _ stream: ClientStream,
      first: PlaneClient,
      write: @escaping @Sendable (Gatehouse_Tools_V1_Stream, [UInt8]) throws -> Void
    ) {
      link = ExecutionLink(client, stream, first: first)
      input.attach(link.now.number)
      output = OutputSink(write)
    }
  }

  private func receive(_ parts: Parts) async throws -> Gatehouse_Tools_V1_Exit {
    while true {
      do {
        if let exit = try await receiveOnce(parts) { return exit }
        throw ClientError("the plane ended the call without saying how", exitCode: 125)
      } catch let status as RPCStatus where status.code == .unavailable {
        guard options.reconnect != nil, !status.isFinal else { throw status }
        // A call that was turned down is not come back to; whoever asked is told why. One that was cut
        // off before it was answered may be there, and is the same by its key. One that a plane about
        // to stop did not look at is not there.
        if parts.callID.current == nil, !status.isUnprocessed,
          await parts.link.now.client.isOpen
        {
          throw status
        }
        try await comeBack(parts, status)
      }
    }
  }

  /// Reads what comes on the stream that there is.
  private func receiveOnce(_ parts: Parts) async throws -> Gatehouse_Tools_V1_Exit? {
    let stream = parts.link.now.stream
    while let bytes = try await stream.next() {
      let response = try decoded(bytes)
      if let observe = options.observe {
        try await parts.output.perform { try observe(response) }
      }
      if let exit = try await take(response, parts) { return exit }
    }
    return nil
  }

  private func decoded(_ bytes: [UInt8]) throws -> Gatehouse_Tools_V1_InvokeResponse {
    do {
      return try Gatehouse_Tools_V1_InvokeResponse(serializedBytes: bytes)
    } catch {
      throw ClientError("the plane sent what is no InvokeResponse", exitCode: 125)
    }
  }

  /// - Returns: the call's end.
  private func take(
    _ response: Gatehouse_Tools_V1_InvokeResponse,
    _ parts: Parts
  ) async throws -> Gatehouse_Tools_V1_Exit? {
    switch response.message {
    case .accepted(let accepted):
      parts.callID.set(accepted.callID)
      parts.latestCall.withLock { $0 = accepted.callID }
      parts.retry.withLock { $0 = nil }
      if parts.link.now.number > 1 { options.talk("the plane is back; it goes on") }
    case .chunk(let chunk): try await acknowledge(parts.output.take(chunk), parts)
    case .gap(let gap):
      try await acknowledge(parts.output.skip(gap), parts)
      options.talk("\(gap.length) bytes of output are lost")
    case .ack(let ack):
      for offset in ack.offsets where offset.stream == .stdin {
        parts.input.acknowledge(before: offset.offset)
      }
    case .state(let change):
      // Without a detail it simply runs, after a wait or a cut of which there was one.
      options.talk(change.detail.isEmpty ? "it goes on" : change.detail)
    case .exit(let exit):
      parts.input.close()
      try await parts.output.check(exit.totals)
      if start.resumes { try await confirm(parts) }
      return exit
    case nil: break
    }
    return nil
  }

  private func acknowledge(_ ack: Gatehouse_Tools_V1_Ack?, _ parts: Parts) async throws {
    guard let ack else { return }
    // A call that has ended takes none, and what it sent before is still to be read.
    _ = try await parts.link.send(request { $0.ack = ack })
  }

  private func readInput(_ parts: Parts) async -> Gatehouse_Tools_V1_Exit? {
    let reader = WorkerPool(name: "input", threads: 1)
    let input = StandardInput()
    await withTaskCancellationHandler {
      // A call that has ended takes no more; `receive` hears of the end, and why.
      try? await pump(parts, input, reader)
    } onCancel: {
      input.stop()
    }
    return nil
  }

  private func pump(_ parts: Parts, _ input: StandardInput, _ reader: WorkerPool) async throws {
    while await parts.input.waitForRoom() {
      guard let bytes = try await reader.run({ input.read(limit: 32 * 1024) }) else { break }
      parts.input.add(bytes)
    }
    parts.input.finish()
  }

  private func sendInput(_ parts: Parts) async -> Gatehouse_Tools_V1_Exit? {
    while let (number, item) = await parts.input.next() {
      let message = try? request { request in
        switch item {
        case .chunk(let offset, let bytes):
          request.chunk.stream = .stdin
          request.chunk.offset = offset
          request.chunk.data = .init(bytes)
        case .end(let offset): request.closeStdin.offset = offset
        }
      }
      guard let message, (try? await parts.link.send(message, on: number)) == true else {
        // It has ended; what was not taken goes on the next one, if there is one.
        parts.input.detach(number)
        continue
      }
    }
    return nil
  }

  private func watch(
    _ signals: AsyncStream<Int32>,
    _ parts: Parts
  ) async throws -> Gatehouse_Tools_V1_Exit? {
    if options.isTerminal { try await sendSize(parts) }
    for await number in signals {
      if number == Signals.windowChanged {
        if options.isTerminal { try await sendSize(parts) }
        continue
      }
      guard parts.wantsCancel.current == nil else {
        throw ClientError("left without waiting", exitCode: 130)
      }
      options.talk("stopping the command; once more leaves without waiting")
      parts.wantsCancel.set(())
    }
    return nil
  }

  /// Asks for the call's end on a call of its own: this stream may be full of input. The answer comes
  /// when the call has ended, of which `receive` hears too.
  private func cancelWhenAsked(_ parts: Parts) async throws -> Gatehouse_Tools_V1_Exit? {
    try await parts.wantsCancel.value
    _ = try await parts.callID.value
    while !Task.isCancelled {
      let now = parts.link.now
      let answer: Gatehouse_Tools_V1_CancelResponse? = try? await now.client.call(
        "/gatehouse.tools.v1.Tools/Cancel",
        Gatehouse_Tools_V1_CancelRequest.with { request in
          request.callID = parts.latestCall.withLock { $0 }
        },
        timeout: nil
      )
      guard answer == nil, options.reconnect != nil else { return nil }
      await parts.link.waitForOther(than: now.number)
    }
    return nil
  }

  func sendSize(_ parts: Parts) async throws {
    guard let size = Terminal.size else { return }
    _ = try await parts.link.send(
      request {
        $0.resize.columns = UInt32(size.columns)
        $0.resize.rows = UInt32(size.rows)
      }
    )
  }

  func request(
    _ fill: (inout Gatehouse_Tools_V1_InvokeRequest) -> Void
  ) throws -> [UInt8] {
    try Gatehouse_Tools_V1_InvokeRequest.with(fill).serializedBytes()
  }
}
