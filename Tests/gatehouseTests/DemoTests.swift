import Foundation
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct DemoTests {
  @Test func `the demo tells its story in order and ends with 0`() async throws {
    let ending = try await Program.run(["demo"], environment: ["OPENAI_API_KEY": "marker-8128"])
    #expect(ending.code == 0, "\(ending.output)\(ending.complaints)")
    var rest = ending.output[...]
    for scene in [
      "A workspace enrolls", "the key is not among it", "FAIL: test_label_of_few_cents",
      "+    return f\"{cents // 100}.{cents % 100:02}\"", "OK", "every connection is dropped",
      "12 of 12 lines", "What you saw", "To try next",
    ] {
      let found = try #require(rest.range(of: scene), "'\(scene)' is missing or out of order")
      rest = rest[found.upperBound...]
    }
    #expect(!ending.output.contains("marker-8128"))
    #expect(!ending.output.contains("\u{1B}["), "colour where there is no terminal")
  }

  @Test func `someone's own code needs a model`() async throws {
    let ending = try await Program.run(["demo", "--repo", ".", "--prompt", "x"])
    #expect(ending.code == 1)
    #expect(ending.complaints.contains("OPENAI_API_KEY"))
  }

  @Test func `someone's home is no workspace`() async throws {
    let home = FileManager.default.temporaryDirectory.path + "/home-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: home) }
    let ending = try await Program.run(
      ["demo", "--repo", home, "--prompt", "x"],
      environment: ["HOME": home, "GATEHOUSE_MODEL_URL": "http://127.0.0.1:9/v1"]
    )
    #expect(ending.code == 1)
    #expect(ending.complaints.contains("the root '\(home)' contains '\(home)/."))
    #expect(ending.complaints.contains("name a folder"))
  }
}
