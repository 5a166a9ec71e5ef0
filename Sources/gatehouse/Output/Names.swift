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
