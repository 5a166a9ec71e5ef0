import Providers
import Synchronization
import Testing

@Suite struct `An answer that is cut and asked for again` {
  /// Says these pieces, an attempt each; all but the last are cut then.
  private final class Cut: Model {
    let name = "cut"
    private let attempts: Mutex<[[String]]>

    init(_ attempts: [[String]]) { self.attempts = Mutex(attempts) }

    func answer(
      _ request: ModelRequest,
      deliver: @Sendable (ModelEvent) async -> Void
    ) async throws -> ModelAnswer {
      let (pieces, isLast) = attempts.withLock { ($0.removeFirst(), $0.isEmpty) }
      for piece in pieces { await deliver(.text(piece)) }
      guard isLast else { throw ProviderError(.cut, "cut", isPassing: true) }
      return ModelAnswer(text: pieces.joined(), calls: [], usage: ModelUsage())
    }
  }

  /// What a listener is told; a retry is `…`, what comes anew has `!` before it.
  private func told(_ attempts: [String]...) async throws -> [String] {
    let told = Mutex<[String]>([])
    let model = Retrying(Cut(attempts), sleep: { _ in })
    let request = ModelRequest(messages: [], tools: [])
    let answer = try await model.answer(request) { event in
      told.withLock { told in
        switch event {
        case .text(let text): told.append(text)
        case .anew(let text): told.append("!" + text)
        case .retrying: told.append("…")
        }
      }
    }
    #expect(answer.text == attempts.last?.joined())
    return told.withLock { $0 }
  }

  @Test func `goes on where it was, when it says the same`() async throws {
    #expect(
      try await told(["Hel", "lo"], ["H", "ello w", "orld"]) == ["Hel", "lo", "…", " w", "orld"]
    )
    #expect(try await told(["é"], ["é", "é"]) == ["é", "…", "é"])
    #expect(try await told([], ["a"]) == ["…", "a"])
    #expect(try await told(["all"], ["all"]) == ["all", "…"])
  }

  @Test func `begins anew, when it says something else`() async throws {
    #expect(try await told(["Hel", "lo"], ["He", "y", "!"]) == ["Hel", "lo", "…", "!Hey", "!"])
    #expect(try await told(["abc"], ["xyz"]) == ["abc", "…", "!xyz"])
  }

  @Test func `begins anew, when it says less`() async throws {
    #expect(try await told(["Hello"], ["Hel"]) == ["Hello", "…", "!Hel"])
  }

  @Test func `is compared with all that was told, however often it is cut`() async throws {
    #expect(
      try await told(["abcd"], ["ab"], ["abc", "def"]) == ["abcd", "…", "…", "ef"]
    )
    #expect(try await told(["ab"], ["ax"], ["axy"]) == ["ab", "…", "!ax", "…", "y"])
  }
}
