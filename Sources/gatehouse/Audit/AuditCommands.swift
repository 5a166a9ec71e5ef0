internal import ArgumentParser

struct AuditCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "What happened: watch, search, show, why, verify, export, rebuild, erase.",
    subcommands: [
      AuditTail.self, AuditSearch.self, AuditShow.self, AuditWhy.self, AuditVerify.self,
      AuditExport.self, AuditRebuild.self, AuditErase.self, AuditRotateKey.self,
    ]
  )
}
