import FoundationEssentials
import SwiftProtobuf
import Wire

@testable import DaemonWire

private let state = FileState(
  type: .regular,
  bytes: 200_000,
  mode: 0o644,
  sha256: [3, 0, 255],
  kept: .kept,
  text: [4, 0, 255]
)

private let theirState = Gatehouse_Tools_V1_FileState.with {
  $0.type = .regular
  $0.bytes = 200_000
  $0.mode = 0o644
  $0.sha256 = Data([3, 0, 255])
  $0.kept = .kept
  $0.text = Data([4, 0, 255])
}

private let effect = FileEffect(
  path: [0xff, 0x2f, 0x61],
  change: .typeChanged,
  before: state,
  after: FileState(type: .symlink, kept: .leftOut),
  diff: "diff é1",
  diffTruncated: true
)

private let theirEffect = Gatehouse_Tools_V1_FileEffect.with {
  $0.path = Data([0xff, 0x2f, 0x61])
  $0.change = .typeChanged
  $0.before = theirState
  $0.after = .with {
    $0.type = .symlink
    $0.kept = .leftOut
  }
  $0.diff = "diff é1"
  $0.diffTruncated = true
}

private let effects = Effects(
  files: [effect, FileEffect(path: [0x62], change: .deleted, before: state)],
  source: .scan,
  incomplete: ["reason é1", "reason é2"],
  more: 300_000,
  sharedWith: 70_000
)

private let theirEffects = Gatehouse_Tools_V1_Effects.with {
  $0.files = [
    theirEffect,
    .with {
      $0.path = Data([0x62])
      $0.change = .deleted
      $0.before = theirState
    },
  ]
  $0.source = .scan
  $0.incomplete = ["reason é1", "reason é2"]
  $0.more = 300_000
  $0.sharedWith = 70_000
}

let effectsPairs: [Pair] = [
  Pair(state, theirState),
  Pair(effect, theirEffect),
  Pair(effects, theirEffects),
  Pair(
    CarryRequest(message: .effects(effects)),
    Gatehouse_Link_V1_CarryRequest.with { $0.effects = theirEffects }
  ),
]
