internal import Console
internal import EventLoop
internal import FoundationEssentials
internal import RPC
internal import SwiftProtobuf
package import Wire

/// One call that this process owns: its input, output, signals and end. `gatehouse exec` and
/// `gatehouse call invoke`.
package struct Execution: Sendable {
  private let client: PlaneClient
  private let start: Gatehouse_Tools_V1_InvokeStart
  private let options: Options

  /// What of this process is joined to the call.
  package struct Options: Sendable {
    /// Standard input goes to the command.
    package var sendsInput = false
    /// Standard input is a terminal in raw mode.
    package var isTerminal = false
    /// People are told when the call waits or its link is cut.
    package var talk: @Sendable (String) -> Void = { _ in }
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
    self.start = start
    self.options = options
  }

  /// Runs the call to its end. SIGINT, SIGTERM and SIGHUP cancel it, and it returns when the end is
  /// confirmed; a second one returns at once, and the plane cancels by itself.
  ///
  /// - Throws: `ClientError`, `ConsoleError`.
  package func run(signals: AsyncStream<Int32>? = nil) async throws -> Gatehouse_Tools_V1_Exit {
    do {
      let stream = try await client.open("/gatehouse.tools.v1.Tools/Invoke")
      try await stream.send(request { $0.start = start })
      return try await run(
        Parts(stream: stream, client: client, write: options.write),
        signals
      )
    } catch let status as RPCStatus {
      throw ClientError(status, exitCode: 125)
    } catch let error as ClientError {
      throw error.with(exitCode: error.exitCode == 1 ? 125 : error.exitCode)
    }
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
        if options.sendsInput { group.addTask { await sendInput(parts) } }
        defer { group.cancelAll() }
        while let end = try await group.next() {
          if let exit = end { return exit }
        }
        preconditionFailure("`receive` gives an exit or throws")
      }
    } catch let status as RPCStatus {
      guard let callID = parts.callID.current, status.code == .unavailable else { throw status }
      throw ClientError(
        "lost: the plane at \(client.address) is gone (\(status.message)); how call \(callID) ended "
          + "is not known here; when the plane answers, see: gatehouse call list",
        exitCode: 125
      )
    }
  }

  /// What the tasks of one execution share.
  private final class Parts: Sendable {
    let stream: ClientStream
    let client: PlaneClient
    let input = InputWindow()
    let output: OutputSink
    let callID = AsyncValue<String>()
    /// Set when the call is to end.
    let wantsCancel = AsyncValue<Void>()

    init(
      stream: ClientStream,
      client: PlaneClient,
      write: @escaping @Sendable (Gatehouse_Tools_V1_Stream, [UInt8]) throws -> Void
    ) {
      self.stream = stream
      self.client = client
      output = OutputSink(write)
    }
  }

  private func receive(_ parts: Parts) async throws -> Gatehouse_Tools_V1_Exit {
    while let bytes = try await parts.stream.next() {
      let response = try decoded(bytes)
      if let observe = options.observe {
        try await parts.output.perform { try observe(response) }
      }
      if let exit = try await take(response, parts) { return exit }
    }
    throw ClientError("the plane ended the call without saying how", exitCode: 125)
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
    case .accepted(let accepted): parts.callID.set(accepted.callID)
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
      return exit
    case nil: break
    }
    return nil
  }

  private func acknowledge(_ ack: Gatehouse_Tools_V1_Ack?, _ parts: Parts) async throws {
    guard let ack else { return }
    // A call that has ended takes none, and what it sent before is still to be read.
    try await parts.stream.send(request { $0.ack = ack })
  }

  private func sendInput(_ parts: Parts) async -> Gatehouse_Tools_V1_Exit? {
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
      let offset = parts.input.advance(by: bytes.count)
      try await parts.stream.send(
        request {
          $0.chunk.stream = .stdin
          $0.chunk.offset = offset
          $0.chunk.data = .init(bytes)
        }
      )
    }
    let end = parts.input.position
    try await parts.stream.send(request { $0.closeStdin.offset = end })
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
    let callID = try await parts.callID.value
    let _: Gatehouse_Tools_V1_CancelResponse? = try? await parts.client.call(
      "/gatehouse.tools.v1.Tools/Cancel",
      Gatehouse_Tools_V1_CancelRequest.with { $0.callID = callID },
      timeout: nil
    )
    return nil
  }

  private func sendSize(_ parts: Parts) async throws {
    guard let size = Terminal.size else { return }
    try await parts.stream.send(
      request {
        $0.resize.columns = UInt32(size.columns)
        $0.resize.rows = UInt32(size.rows)
      }
    )
  }

  private func request(
    _ fill: (inout Gatehouse_Tools_V1_InvokeRequest) -> Void
  ) throws -> [UInt8] {
    try Gatehouse_Tools_V1_InvokeRequest.with(fill).serializedBytes()
  }
}
