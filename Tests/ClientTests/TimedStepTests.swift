import Testing

@testable import Client

@Suite(.timeLimit(.minutes(5))) struct TimedStepTests {
  @Test func `what is over in time gives its value`() async throws {
    let value = try await TimedStep("a step", within: .seconds(600)).run { 7 }
    #expect(value == 7)
  }

  @Test func `what is not over is cancelled, and named`() async throws {
    let never = AsyncValue<Void>()
    let error = await #expect(throws: TimedStep.Overdue.self) {
      try await TimedStep("The agent works", within: .zero).run { try await never.value }
    }
    #expect(error?.description == "'The agent works' is not over after 0 s")
  }

  @Test func `what fails says why`() async throws {
    await #expect(throws: ClientError("broken")) {
      try await TimedStep("a step", within: .seconds(600)).run { throw ClientError("broken") }
    }
  }
}
