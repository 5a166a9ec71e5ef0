import Agent
import Providers
import SwiftProtobuf
import Synchronization
import Wire

/// A model whose answers are written down beforehand.
final class ScriptedModel: Model {
  let name = "scripted"
  private let answers: Mutex<[Result<ModelAnswer, ProviderError>]>
  private let seen = Mutex<[ModelRequest]>([])
  /// Where answers run out, waits to be cancelled.
  let asked = AsyncStream<Void>.makeStream()

  init(_ answers: [Result<ModelAnswer, ProviderError>]) { self.answers = Mutex(answers) }

  convenience init(_ answers: Result<ModelAnswer, ProviderError>...) { self.init(answers) }

  var requests: [ModelRequest] { seen.withLock { $0 } }

  func answer(
    _ request: ModelRequest,
    deliver: @Sendable (ModelEvent) async -> Void
  ) async throws -> ModelAnswer {
    seen.withLock { $0.append(request) }
    let answer = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    guard let answer else {
      asked.continuation.yield()
      while true { try await Task.sleep(for: .seconds(3600)) }
    }
    let whole = try answer.get()
    if !whole.text.isEmpty { await deliver(.text(whole.text)) }
    return whole
  }
}

/// A workspace whose commands print what they were asked, or run until they are cancelled.
final class ScriptedTools: ToolRunner {
  private let run: @Sendable (ToolRequest) -> Gatehouse_Tools_V1_Exit?
  private let output: [UInt8]
  private let ended = Mutex<[String]>([])
  let started = AsyncStream<Void>.makeStream()

  /// `run` gives `nil` for a call that runs on until it is cancelled.
  init(
    output: String = "",
    _ run: @escaping @Sendable (ToolRequest) -> Gatehouse_Tools_V1_Exit?
  ) {
    self.output = Array(output.utf8)
    self.run = run
  }

  /// Tools of calls that have ended.
  var endedCalls: [String] { ended.withLock { $0 } }

  func run(
    _ request: ToolRequest,
    deliver: @Sendable (ToolEvent) async -> Void
  ) async -> Gatehouse_Tools_V1_Exit {
    await deliver(.accepted(callID: "call_\(request.tool)"))
    started.continuation.yield()
    if !output.isEmpty { await deliver(.output(.stdout, offset: 0, output)) }
    var exit = run(request)
    if exit == nil {
      // Ends only by cancellation.
      try? await Task.sleep(for: .seconds(3600))
      exit = .with { $0.outcome = .cancelled }
    }
    ended.withLock { $0.append(request.tool) }
    return exit ?? .init()
  }
}

extension Gatehouse_Tools_V1_Exit {
  static func exited(_ code: Int32) -> Self {
    .with {
      $0.outcome = .exited
      $0.code = code
    }
  }
}

extension ModelAnswer {
  static func calls(_ calls: (String, String)...) -> ModelAnswer {
    ModelAnswer(
      calls: calls.map { ModelCall(id: "", tool: $0.0, arguments: $0.1) },
      usage: ModelUsage(inputTokens: 100, outputTokens: 10)
    )
  }
}
