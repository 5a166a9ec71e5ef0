import DaemonWire
import EventLoop
import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(5))) struct `The look at a workspace` {
  @Test func `gives up behind its bound, says so, and has seen what lies near the root`()
    async throws
  {
    let tested = try TestedSurvey { $0.walk.maxEntries = 30 }
    for number in 0..<10 { try tested.root.write("x", to: "src/\(number)") }
    for number in 0..<40 { try tested.root.write("x", to: "src/deep/\(number)") }
    let effects = try await tested.effects {
      try tested.root.write("y", to: "src/1")
      try tested.root.write("y", to: "src/deep/1")
      try tested.root.write("y", to: "src/deep/new")
    }
    #expect(effects.lines == ["modified src/1"])
    #expect(effects.incomplete.contains { $0.contains("30") })
  }

  @Test func `keeps no command waiting when no thread can be started for it`() async throws {
    let pool = WorkerPool(name: "survey", threads: 1) { _, _ throws(SystemError) in
      throw SystemError("start a thread", code: EAGAIN)
    }
    let tested = try TestedSurvey(pool: pool)
    let effects = try await tested.effects { try tested.root.write("y", to: "a.txt") }
    #expect(effects.lines.isEmpty)
    #expect(effects.incomplete.count == 1)
    #expect(!tested.survey.isAtWork)
  }

  @Test func `gives up when its time is over, and never takes for gone what it did not see`()
    async throws
  {
    let late = try TestedSurvey {
      $0.walk.time = .zero
      $0.walk.leastEntries = 1
    }
    try late.root.write("x", to: "a/b/c")
    let effects = try await late.effects { late.remove("a/b/c") }
    #expect(effects.files.isEmpty)
    #expect(effects.incomplete.contains { $0.contains("had been looked at") })
  }

  @Test func `looks into nothing further behind its longest time, however little it saw`()
    async throws
  {
    let late = try TestedSurvey { $0.walk.longest = .zero }
    for name in ["a/b", "top"] { try late.root.write("x", to: name) }
    let effects = try await late.effects {
      late.remove("a/b")
      try late.root.write("y", to: "top")
    }
    #expect(effects.lines == ["modified top"])
    #expect(effects.incomplete.contains { $0.contains("no further folder") })
  }

  @Test func `goes on where a folder was beyond its bound before`() async throws {
    let tested = try TestedSurvey { $0.walk.maxEntries = 20 }
    for number in 0..<30 { try tested.root.write("x", to: "many/\(number)") }
    let effects = try await tested.effects {
      for number in 5..<30 { tested.remove("many/\(number)") }
    }
    // Nobody knows what was in it, so none of it counts as new.
    #expect(effects.files.isEmpty)
    #expect(!effects.incomplete.isEmpty)
  }

  @Test func `looks at ignored folders last`() async throws {
    let tested = try TestedSurvey { $0.walk.maxEntries = 60 }
    try tested.root.write("a_modules/\n", to: ".gitignore")
    for number in 0..<50 { try tested.root.write("x", to: "a_modules/\(number)") }
    for number in 0..<20 { try tested.root.write("x", to: "z/y/x/\(number)") }
    let effects = try await tested.effects { try tested.root.write("y", to: "z/y/x/1") }
    #expect(effects.lines == ["modified z/y/x/1"])
    #expect(effects.incomplete.contains { $0.contains("a_modules") })
  }

  @Test(.enabled(if: getuid() != 0)) func `says which folder is closed to it`() async throws {
    let tested = try TestedSurvey()
    try tested.root.write("x", to: "closed/a")
    tested.setMode("closed", 0)
    let effects = try await tested.effects {}
    tested.setMode("closed", 0o700)
    #expect(effects.incomplete.contains { $0.contains("'closed'") })
  }

  @Test func `reads more while a command runs`() async throws {
    let tested = try TestedSurvey { $0.readBefore = 0 }
    for number in 0..<200 { try tested.root.write("one\n", to: "\(number).txt") }
    let effects = try await tested.effects {
      while tested.survey.isAtWork { await Task.yield() }
      try tested.root.write("two\n", to: "199.txt")
    }
    #expect(effects.file("199.txt")?.before?.string == "one\n")
    #expect(effects.file("199.txt")?.after?.string == "two\n")
  }

  @Test func `reads only what a command that runs has not changed yet`() async throws {
    let tested = try TestedSurvey { $0.readBefore = 0 }
    try tested.root.write("one\n", to: "a.txt")
    let effects = try await tested.effects { try tested.root.write("two\n", to: "a.txt") }
    let file = try #require(effects.file("a.txt"))
    #expect(file.before?.string == nil || file.before?.string == "one\n")
    #expect(file.after?.string == "two\n")
  }

  @Test func `forgets old texts when they take much room`() async throws {
    let tested = try TestedSurvey { $0.maxTexts = 64 << 10 }
    let text = String(repeating: "0123456789abcde\n", count: 500)
    for number in 0..<30 {
      let effects = try await tested.effects {
        try tested.root.write("\(number)" + text, to: "a.txt")
      }
      let file = try #require(effects.file("a.txt"))
      #expect(file.after?.string == "\(number)" + text)
      if number > 0 { #expect(file.before?.string == "\(number - 1)" + text) }
    }
  }
}

@Suite(.timeLimit(.minutes(5))) struct `Changes while a command runs` {
  private let tested: TestedSurvey

  init() throws { tested = try TestedSurvey() }

  @Test func `that file tools made are not its own`() async throws {
    try tested.root.write("one\n", to: "a.txt")
    let effects = try await tested.effects {
      try tested.write(Array("two\n".utf8), to: "a.txt")
      try tested.write(Array("new\n".utf8), to: "b.txt")
      try tested.root.write("mine\n", to: "c.txt")
    }
    #expect(effects.lines == ["created c.txt"])
  }

  @Test func `count from what a file tool left, where it went on from there`() async throws {
    try tested.root.write("one\n", to: "a.txt")
    let effects = try await tested.effects {
      try tested.write(Array("two\n".utf8), to: "a.txt")
      try tested.root.write("three\n", to: "a.txt")
    }
    #expect(effects.lines == ["modified a.txt"])
    #expect(effects.files.first?.before?.string == "two\n")
    #expect(effects.files.first?.after?.string == "three\n")
  }

  @Test func `are both commands' where two ran, and each says so`() async throws {
    let (first, second) = (await tested.before(), await tested.before())
    try tested.root.write("x\n", to: "a.txt")
    let one = await tested.after(first)
    let third = await tested.before()
    let other = await tested.after(second)
    let last = await tested.after(third)
    #expect(one.lines == ["created a.txt"])
    #expect(other.lines == ["created a.txt"])
    #expect(one.sharedWith == 1)
    #expect(other.sharedWith == 2)
    #expect(last.files.isEmpty)
    #expect(last.sharedWith == 1)
    #expect(try await tested.effects {}.sharedWith == 0)
  }

  @Test func `of one that never began leave nothing behind`() async throws {
    tested.survey.abandon(await tested.before())
    #expect(try await tested.effects {}.sharedWith == 0)
  }
}
