@testable import Agent
import Providers
import SwiftProtobuf
import Testing
import Wire

@Suite struct ChatTests {
  private static let ls = ("process.exec", #"{"argv":["ls"]}"#)

  private func chat(_ events: ChatEvent..., bounds: TurnBounds = TurnBounds()) -> Chat {
    var chat = Chat(instructions: "i", bounds: bounds)
    for event in events { chat.apply(event) }
    return chat
  }

  private func done(_ text: String) -> CallResult { CallResult(text: text, outcome: .exited) }

  @Test func `a message is put to the model with the tools`() {
    let effects = chat(.asked("p")).next()
    guard case .askModel(let request)? = effects.first, effects.count == 1 else {
      Issue.record("\(effects)")
      return
    }
    #expect(request.messages == [.system("i"), .user("p")])
    #expect(request.tools.map(\.name).contains("files.edit"))
  }

  @Test func `nothing is to be done while the model thinks or calls run`() {
    #expect(chat(.asked("p"), .stepBegan).next().isEmpty)
    let running = chat(
      .asked("p"),
      .stepBegan,
      .answered(.calls(Self.ls)),
      .callBegan("c1")
    )
    #expect(running.next().isEmpty)
  }

  @Test func `parallel calls start together, up to the bound`() {
    var bounds = TurnBounds()
    bounds.maxParallelCalls = 2
    var chat = chat(
      .asked("p"),
      .stepBegan,
      .answered(.calls(Self.ls, Self.ls, Self.ls)),
      bounds: bounds
    )
    #expect(chat.next().count == 2)
    chat.apply(.callBegan("c1"))
    #expect(chat.next().count == 1)
    chat.apply(.callBegan("c2"))
    #expect(chat.next().isEmpty)
    chat.apply(.callEnded("c1", done("1")))
    #expect(chat.next().count == 1)
  }

  @Test func `results go to the model in its own order, with ids of their own`() {
    let chat = chat(
      .asked("p"),
      .stepBegan,
      .answered(.calls(Self.ls, Self.ls)),
      .callBegan("c1"),
      .callBegan("c2"),
      .callEnded("c2", done("2")),
      .callEnded("c1", done("1"))
    )
    #expect(
      chat.messages.suffix(2) == [
        .result(callID: "gatehouse_c1", text: "1"), .result(callID: "gatehouse_c2", text: "2"),
      ]
    )
    guard case .askModel? = chat.next().first else {
      Issue.record("\(chat.next())")
      return
    }
  }

  @Test func `an answer without calls completes the turn`() {
    let chat = chat(.asked("p"), .stepBegan, .answered(ModelAnswer(text: "done")))
    #expect(chat.next() == [.end(TurnEnd(state: .completed))])
  }

  @Test func `a turn is bound in steps and tokens`() {
    let events: [ChatEvent] = [
      .asked("p"), .stepBegan, .answered(.calls(Self.ls)), .callBegan("c1"),
      .callEnded("c1", done("")),
    ]
    for change in [\TurnBounds.maxSteps, \.maxTokens] {
      var bounds = TurnBounds()
      bounds[keyPath: change] = 1
      var chat = Chat(instructions: "i", bounds: bounds)
      for event in events { chat.apply(event) }
      guard case .end(let end)? = chat.next().first else {
        Issue.record("\(chat.next())")
        return
      }
      #expect(end.state == .failed)
    }
  }

  @Test func `a stop cancels what runs, and ends when it has ended`() {
    var chat = chat(
      .asked("p"),
      .stepBegan,
      .answered(.calls(Self.ls, Self.ls)),
      .callBegan("c1"),
      .callBegan("c2"),
      .stopAsked
    )
    #expect(chat.next() == [.cancelWork])
    chat.apply(.callEnded("c1", done("")))
    #expect(chat.next() == [.cancelWork])
    chat.apply(.callEnded("c2", done("")))
    #expect(chat.next() == [.end(TurnEnd(state: .interrupted, reason: "stopped"))])
    chat.apply(.ended(TurnEnd(state: .interrupted)))
    #expect(chat.state == .interrupted)
    #expect(chat.next().isEmpty)
  }

  @Test func `calls of an answer that comes after a stop are not started`() {
    let chat = chat(.asked("p"), .stepBegan, .stopAsked, .answered(.calls(Self.ls)))
    #expect(chat.next() == [.end(TurnEnd(state: .interrupted, reason: "stopped"))])
  }

  @Test func `every call has a result when a turn is broken off`() {
    let chat = chat(
      .asked("p"),
      .stepBegan,
      .answered(.calls(Self.ls)),
      .stopAsked,
      .ended(TurnEnd(state: .interrupted))
    )
    guard case .result("gatehouse_c1", _)? = chat.messages.last else {
      Issue.record("\(chat.messages)")
      return
    }
  }

  @Test(arguments: [
    (ModelAnswer.Finish.length, "cut"), (.filtered, "filter"), (.done, "nothing"),
  ])
  func `an answer that says nothing fails the turn`(finish: ModelAnswer.Finish, reason: String) {
    let chat = chat(.asked("p"), .stepBegan, .answered(ModelAnswer(finish: finish)))
    guard case .end(let end)? = chat.next().first else {
      Issue.record("\(chat.next())")
      return
    }
    #expect(end.state == .failed)
    #expect(end.reason.contains(reason))
  }

  @Test(arguments: [Int.max, Int.min, -1])
  func `tokens beyond counting end the turn, and are told as what they can be`(count: Int) throws {
    let usage = ModelUsage(inputTokens: count, outputTokens: count)
    var answer = ModelAnswer.calls(Self.ls)
    answer.usage = usage
    var chat = chat(.asked("p"), .stepBegan, .answered(answer))
    chat.apply(.callBegan("c1"))
    chat.apply(.callEnded("c1", done("1")))
    let effects = chat.next()
    if count > 0 {
      guard case .end(let end)? = effects.first else {
        Issue.record("the turn goes on: \(effects)")
        return
      }
      #expect(end.reason.contains("tokens"))
      chat.apply(.stepBegan)
      chat.apply(.answered(answer))
    } else {
      guard case .askModel? = effects.first else {
        Issue.record("the turn ended: \(effects)")
        return
      }
    }
    let end = Gatehouse_Plane_V1_TurnEnded(TurnEnd(state: .failed), of: chat)
    let step = Gatehouse_Plane_V1_StepEnded(step: 1, usage: usage)
    #expect(end.inputTokens == (count > 0 ? UInt64(Int.max) : 0))
    #expect(step.outputTokens == (count > 0 ? UInt64(Int.max) : 0))
  }

  @Test func `calls of one answer that share an id get results of their own`() {
    var answer = ModelAnswer.calls(Self.ls, Self.ls, Self.ls)
    for index in answer.calls.indices { answer.calls[index].id = "same" }
    answer.calls[2].id = "gatehouse_c2"
    var chat = chat(.asked("p"), .stepBegan, .answered(answer))
    for name in ["c1", "c2", "c3"] {
      chat.apply(.callBegan(name))
      chat.apply(.callEnded(name, done(name)))
    }
    let results = chat.messages.compactMap { message -> [String]? in
      if case .result(let id, let text) = message { [id, text] } else { nil }
    }
    #expect(results.map { $0[1] } == ["c1", "c2", "c3"])
    #expect(Set(results.map { $0[0] }).count == 3)
    #expect(results.first?[0] == "same")
  }
}
