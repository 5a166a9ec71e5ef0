internal import Wire

/// What people call the values of the protocol's enums.
enum Names {
  static func text(_ state: Gatehouse_Tools_V1_CallState) -> String {
    switch state {
    case .queued: "queued"
    case .offered: "offered"
    case .running: "running"
    case .detached: "detached"
    case .ended: "ended"
    default: "unknown"
    }
  }

  static func text(_ outcome: Gatehouse_Tools_V1_Outcome) -> String {
    switch outcome {
    case .exited: "exited"
    case .signalled: "signalled"
    case .spawnFailed: "not started"
    case .timedOut: "timed out"
    case .cancelled: "cancelled"
    case .refused: "refused"
    case .lost: "lost"
    default: "unknown"
    }
  }

  /// In a few words; empty for nothing.
  static func text(_ effects: Gatehouse_Tools_V1_Effects) -> String {
    // A daemon may say any number.
    let (sum, isBeyond) = effects.more.addingReportingOverflow(UInt64(effects.files.count))
    let count = isBeyond ? .max : sum
    guard count > 0 else { return "" }
    let first = effects.files.first.map { String(decoding: $0.path, as: UTF8.self) } ?? ""
    return "changed " + (count == 1 ? first : "\(first) and \(count - 1) more")
  }

  static func text(_ change: Gatehouse_Tools_V1_FileChange) -> String {
    switch change {
    case .created: "created"
    case .modified: "modified"
    case .deleted: "deleted"
    case .typeChanged: "another type"
    case .modeChanged: "another mode"
    default: "changed"
    }
  }

  static func text(_ state: Gatehouse_Plane_V1_WorkspaceState) -> String {
    switch state {
    case .pending: "pending"
    case .linked: "linked"
    case .unlinked: "unlinked"
    case .stopped: "stopped"
    default: "unknown"
    }
  }

  static func text(_ state: Gatehouse_Plane_V1_ChatState) -> String {
    switch state {
    case .working: "working"
    case .needsApproval: "needs approval"
    case .needsInput: "needs input"
    case .completed: "completed"
    case .interrupted: "interrupted"
    case .failed: "failed"
    default: "unknown"
    }
  }
}
