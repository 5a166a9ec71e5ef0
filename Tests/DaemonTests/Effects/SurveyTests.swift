import Crypto
import DaemonWire
import FoundationEssentials
import Glibc
import Sandbox
import TestSupport
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(5))) struct `What a command changed` {
  private let tested: TestedSurvey

  init() throws { tested = try TestedSurvey() }

  private var root: TemporaryFolder { tested.root }

  private func digest(_ text: String) -> [UInt8] { SHA256.hash(Array(text.utf8)) }

  @Test func `is nothing, and that is said`() async throws {
    try root.write("one\n", to: "a.txt")
    let effects = try await tested.effects {}
    #expect(effects == Effects(source: .scan))
  }

  @Test func `is told with digests and texts of both sides`() async throws {
    try root.write("one\n", to: "b.txt")
    try root.write("old\n", to: "c/d.txt")
    let effects = try await tested.effects {
      try root.write("new\n", to: "a.txt")
      try root.write("two\nthree\n", to: "b.txt")
      tested.remove("c/d.txt")
    }
    #expect(effects.lines == ["created a.txt", "modified b.txt", "deleted c/d.txt"])
    #expect(effects.incomplete.isEmpty)
    #expect(effects.more == 0)
    let created = try #require(effects.file("a.txt"))
    #expect(created.before == nil)
    #expect(created.after?.string == "new\n")
    let modified = try #require(effects.file("b.txt"))
    #expect(modified.before?.string == "one\n")
    #expect(modified.before?.sha256 == digest("one\n"))
    #expect(modified.before?.bytes == 4)
    #expect(modified.after?.string == "two\nthree\n")
    #expect(modified.after?.sha256 == digest("two\nthree\n"))
    #expect(modified.after?.bytes == 10)
    let deleted = try #require(effects.file("c/d.txt"))
    #expect(deleted.before?.string == "old\n")
    #expect(deleted.after == nil)
  }

  @Test func `of a file that was moved is its end here and its beginning there`() async throws {
    try root.write("one\n", to: "a.txt")
    let effects = try await tested.effects {
      tested.move("a.txt", to: "z.txt")
    }
    #expect(effects.lines == ["deleted a.txt", "created z.txt"])
    #expect(effects.files[0].before?.sha256 == effects.files[1].after?.sha256)
    #expect(effects.files[1].after?.sha256 == digest("one\n"))
  }

  @Test func `is found behind a size and time that stayed the same`() async throws {
    try root.write("one\n", to: "a.txt")
    let effects = try await tested.effects {
      let time = tested.time(of: "a.txt")
      try root.write("two\n", to: "a.txt")
      tested.setTime(of: "a.txt", to: time)
    }
    #expect(effects.lines == ["modified a.txt"])
    #expect(effects.files.first?.before?.string == "one\n")
    #expect(effects.files.first?.after?.string == "two\n")
  }

  @Test func `is found at once, one command after the other`() async throws {
    // All of the same size: only the time of the change tells them apart.
    for number in 0..<20 {
      let effects = try await tested.effects { try root.write("\(number % 10)", to: "a.txt") }
      #expect(effects.files.first?.after?.string == "\(number % 10)")
      #expect(effects.files.first?.before?.string == (number == 0 ? nil : "\((number + 9) % 10)"))
    }
  }

  @Test func `is nothing for a file that was only touched, read or linked`() async throws {
    try root.write("one\n", to: "a.txt")
    try root.write("one\n", to: "b.txt")
    let effects = try await tested.effects {
      tested.setTime(of: "a.txt", to: timespec(tv_sec: 1, tv_nsec: 0))
      try root.write("one\n", to: "b.txt")
    }
    #expect(effects == Effects(source: .scan))
  }

  @Test func `may be a mode or a type`() async throws {
    try root.write("one\n", to: "a.sh")
    try root.write("one\n", to: "b")
    try root.write("one\n", to: "f/x")
    try root.link("l", to: "a.sh")
    let effects = try await tested.effects {
      tested.setMode("a.sh", 0o755)
      tested.remove("b")
      try root.link("b", to: "a.sh")
      tested.setMode("f", 0o700)
      tested.remove("l")
      try root.link("l", to: "b")
    }
    #expect(
      effects.lines == ["modeChanged a.sh", "typeChanged b", "modeChanged f", "modified l"]
    )
    #expect(effects.files[0].before?.mode != 0o755)
    #expect(effects.files[0].after?.mode == 0o755)
    #expect(effects.files[1].before?.string == "one\n")
    #expect(effects.files[1].after?.type == .symlink)
    #expect(effects.files[1].after?.string == "a.sh")
    #expect(effects.files[3].before?.string == "a.sh")
    #expect(effects.files[3].after?.string == "b")
  }

  @Test func `is whole folders that came or went`() async throws {
    try root.write("one\n", to: "old/sub/a.txt")
    let effects = try await tested.effects {
      try FileManager.default.removeItem(atPath: tested.path("old"))
      try root.write("two\n", to: "new/sub/a.txt")
    }
    #expect(
      effects.lines == [
        "created new", "created new/sub", "created new/sub/a.txt", "deleted old",
        "deleted old/sub", "deleted old/sub/a.txt",
      ]
    )
    #expect(effects.file("old/sub/a.txt")?.before?.string == "one\n")
  }

  @Test func `is told without a text that is binary or large`() async throws {
    try Data([0, 1, 2]).write(to: URL(filePath: tested.path("b.bin")))
    let large = String(repeating: "0123456789abcde\n", count: 8 * 1_024)
    try root.write(large, to: "l.txt")
    let effects = try await tested.effects {
      try Data([0, 1, 3]).write(to: URL(filePath: tested.path("b.bin")))
      try root.write(large + "x", to: "l.txt")
    }
    #expect(effects.lines == ["modified b.bin", "modified l.txt"])
    #expect(effects.files[0].before?.kept == .binary)
    #expect(effects.files[0].before?.sha256 == SHA256.hash([0, 1, 2]))
    #expect(effects.files[0].after?.sha256 == SHA256.hash([0, 1, 3]))
    #expect(effects.files[1].before?.kept == .tooLarge)
    // Nobody read it before.
    #expect(effects.files[1].before?.sha256 == [])
    #expect(effects.files[1].after?.sha256 == digest(large + "x"))
    #expect(effects.files.allSatisfy { $0.before?.text == [] && $0.after?.text == [] })
  }

  @Test func `is told without texts of what git ignores, and of its own`() async throws {
    try root.write("build/\n*.log\n", to: ".gitignore")
    let effects = try await tested.effects {
      try root.write("secret\n", to: "build/out.txt")
      try root.write("secret\n", to: "a.log")
      try root.write("ref: x\n", to: ".git/HEAD")
      try root.write("text\n", to: "a.txt")
    }
    for path in ["build/out.txt", "a.log", ".git/HEAD"] {
      let file = try #require(effects.file(path))
      #expect(file.after?.kept == .leftOut)
      #expect(file.after?.text == [])
      #expect(file.after?.sha256.count == 32)
    }
    #expect(effects.file("a.txt")?.after?.string == "text\n")
    #expect(effects.incomplete.isEmpty)
  }

  @Test func `is told as far as there is room, sources first`() async throws {
    try root.write("ignored/\n", to: ".gitignore")
    let effects = try await tested.effects {
      for number in 0..<1_100 { try root.write("x\n", to: "ignored/\(number)") }
      try root.write("x\n", to: "zebra.txt")
    }
    #expect(effects.files.count == EffectsReport.maxFiles)
    #expect(effects.more == 1_102 - 1_000)
    #expect(effects.file("zebra.txt") != nil)
    let paths = effects.files.map(\.path)
    #expect(paths == paths.sorted { $0.lexicographicallyPrecedes($1) })
  }

  @Test func `fits a message, however much changed`() async throws {
    let text = String(repeating: "0123456789abcde\n", count: 3_000)
    let effects = try await tested.effects {
      for number in 100..<140 { try root.write(text, to: "f\(number).txt") }
    }
    #expect(effects.files.count == 40)
    #expect(try effects.encoded().count < 900 << 10)
    #expect(effects.files.first?.after?.string == text)
    #expect(effects.files.last?.after?.kept == .leftOut)
    #expect(effects.files.allSatisfy { $0.after?.sha256 == digest(text) })
  }

  @Test func `reads like what was there at some time, while others write`() async throws {
    let texts = ["one\n", "seven\n"]
    try root.write(texts[0], to: "a.txt")
    let path = tested.path("a.txt")
    let writer = Task.detached {
      var turn = 0
      while !Task.isCancelled {
        turn += 1
        try Data(texts[turn % 2].utf8).write(to: URL(filePath: path), options: .atomic)
        await Task.yield()
      }
    }
    for _ in 0..<50 {
      let effects = try await tested.effects {}
      guard let file = effects.file("a.txt") else { continue }
      for state in [file.before, file.after] {
        guard let state, state.kept == .kept else { continue }
        #expect(texts.contains(String(decoding: state.text, as: UTF8.self)))
        #expect(state.sha256 == SHA256.hash(state.text))
        #expect(state.bytes == UInt64(state.text.count))
      }
    }
    writer.cancel()
    _ = await writer.result
  }
}
