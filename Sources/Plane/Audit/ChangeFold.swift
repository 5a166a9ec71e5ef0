internal import Ledger
internal import SwiftProtobuf
internal import Wire

/// What calls changed together, from their ends: a fold.
struct ChangeFold {
  private struct Key: Hashable {
    let workspace: String
    let path: [UInt8]
  }

  /// Of reasons in the summary, in bytes, which is one message.
  private static let maxReasons = 256 << 10

  var summary = Gatehouse_Plane_V1_DiffSummary()
  private var changed: [Key: FileFold] = [:]
  /// Of texts that are held for comparing, in bytes; beyond it files are told without a diff.
  private let maxTexts: Int
  private var texts = 0
  private var reasons = 0

  init(maxTexts: Int = 64 << 20) { self.maxTexts = maxTexts }

  /// - Parameter event: the end of a call; one after the other.
  mutating func add(_ event: LedgerEvent) {
    var call = Gatehouse_Plane_V1_CallChanges()
    call.call = event.header.call
    // An end always has a body, but one that came when its chat's key was destroyed already.
    call.erased = event.body == .erased || event.body == .none
    if let effects = event.effects {
      call.reported = true
      call.source = effects.source
      call.incomplete = limited(effects.incomplete)
      call.more = effects.more
      call.sharedWith = effects.sharedWith
      for file in effects.files { add(file, event.header) }
    }
    summary.calls.append(call)
  }

  private mutating func add(_ file: Gatehouse_Tools_V1_FileEffect, _ header: EventHeader) {
    let key = Key(workspace: header.workspace, path: Array(file.path))
    let earlier = changed[key]
    texts -= earlier?.heldBytes ?? 0
    var fold = earlier ?? FileFold(header.workspace, file)
    fold.add(file, by: header.call)
    if texts + fold.heldBytes > maxTexts { fold.dropTexts() }
    texts += fold.heldBytes
    changed[key] = fold
  }

  private mutating func limited(_ texts: [String]) -> [String] {
    let count = texts.reduce(0) { $0 + $1.utf8.count }
    guard !texts.isEmpty, reasons + count > Self.maxReasons else {
      reasons += count
      return texts
    }
    return ["reasons are left out here; see this call alone"]
  }

  /// Those that are not as they were, in byte order of the paths.
  func files() -> [FileFold] {
    changed.filter { $0.value.isChanged }
      .sorted { one, other in
        one.key.path == other.key.path
          ? one.key.workspace < other.key.workspace
          : one.key.path.lexicographicallyPrecedes(other.key.path)
      }
      .map(\.value)
  }
}
