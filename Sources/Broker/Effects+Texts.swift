internal import FoundationEssentials
internal import SwiftProtobuf
package import Wire

extension Gatehouse_Tools_V1_Effects {
  /// Paths, kinds and digests alone.
  package var withoutTexts: Self {
    var result = self
    for index in result.files.indices {
      if result.files[index].hasBefore { result.files[index].before.dropText() }
      if result.files[index].hasAfter { result.files[index].after.dropText() }
      if !result.files[index].diff.isEmpty {
        result.files[index].diff = ""
        result.files[index].diffTruncated = true
      }
    }
    return result
  }
}

extension Gatehouse_Tools_V1_FileState {
  package mutating func dropText() {
    guard kept == .kept else { return }
    kept = .leftOut
    text = Data()
  }
}
