import Foundation
import FuzzTargets
import Testing

/// Inputs that were found to be of interest, and each that ever broke something.
@Suite(.timeLimit(.minutes(5))) struct `The corpus` {
  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fuzz/Corpus")

  @Test(arguments: FuzzTarget.allCases)
  func `breaks nothing, whole or cut`(target: FuzzTarget) throws {
    let folder = Self.folder.appending(path: target.rawValue)
    let files = try FileManager.default.contentsOfDirectory(
      at: folder,
      includingPropertiesForKeys: nil
    )
    #expect(files.count >= 3, "\(folder.path) has \(files.count) inputs")
    for file in files {
      let input = Array(try Data(contentsOf: file))
      target.run(input)
      // At every length where it is short, at some where it is long.
      for length in stride(from: 0, to: input.count, by: max(1, input.count / 64)) {
        target.run(Array(input.prefix(length)))
      }
    }
  }
}
