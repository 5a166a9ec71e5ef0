package import Ledger
internal import SwiftProtobuf
package import Wire

extension Gatehouse_Plane_V1_VerifyAuditResponse.Report {
  /// What was found, as it travels; `gatehouse audit verify` makes the same without a plane.
  package init(_ report: VerifyReport, checkpointFile: String) {
    self.init()
    origin = report.origin
    verifierKey = report.verifierKey
    events = report.events
    checkpoints = UInt64(report.checkpoints)
    covered = report.covered?.sequence ?? 0
    coveredUnix = report.covered?.time ?? 0
    erasedBodies = report.erasedBodies
    uncheckedBodies = report.uncheckedBodies
    findings = report.findings.map { finding in
      .with {
        $0.kind = finding.kind.rawValue
        $0.sequence = finding.sequence ?? 0
        $0.message = finding.message
      }
    }
    self.checkpointFile = checkpointFile
    unreadable = report.unreadable
    restorations = report.restorations.map { restored in
      .with {
        $0.sequence = restored.sequence
        $0.timeUnixUs = UInt64(max(0, restored.time))
        $0.copiedUnix = restored.restoration.copied
        $0.until = restored.restoration.until
        $0.reason = restored.restoration.reason
        $0.checkpoints = UInt64(restored.checkpoints)
      }
    }
  }
}
