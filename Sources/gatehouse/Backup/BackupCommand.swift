internal import ArgumentParser
internal import Client
internal import Host
internal import Plane

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy what a plane needs to come back, while it runs.",
    discussion: """
      Works on the plane's files, as its account and on its machine; the plane is not asked and not \
      held up. The folder is made whole or not at all, and nothing is overwritten.

      Keep it as secret as the plane itself. It holds: ledger/master.key, which opens every prompt, \
      answer and request in the ledger; ledger/checkpoint.key, which signs for it; the keys of the \
      plane's certificate authorities, of its server and of its admin (pki/*.key, client/key.pem); and, \
      with --config, the settings file, with its model.key.

      Not in it: files of workspaces; model keys that come from the environment or a file of their own; \
      logs; output that only followers were shown, and the ledger's index, which is made anew. Keys \
      that are erased later stay in the backups made before.
      """
  )

  @Argument(help: ArgumentHelp("The folder to make.", valueName: "dir"))
  var target: String

  @OptionGroup var place: StateOptions
  @OptionGroup var output: JSONOption

  func run() async throws {
    let (state, checkpoints) = try place.resolved()
    let target = try StateOptions.absolute(target)
    for path in Backup.leftovers(of: target) {
      Talk.say(
        "\(path) was left by a backup that was cut off, unless it is being made now; it holds keys: "
          + "remove it"
      )
    }
    // So that no keys lie about.
    try StopSignals.onFirst {
      Backup.giveUp(target)
      Exit.leave(with: 130)
    }
    let manifest: BackupManifest
    do {
      let backup = try Backup(
        of: state,
        checkpointFile: checkpoints,
        settingsFile: place.config
      )
      manifest = try backup.make(
        at: target,
        now: ThisProcess.unixTime,
        program: Version.current
      )
    } catch {
      throw ClientError("no backup was made: \(error)")
    }
    if output.json {
      return try DataOutput.line(String(decoding: manifest.json, as: UTF8.self))
    }
    Talk.say(
      "\(target): the ledger up to event \(manifest.lastEvent), and "
        + "\(Plain.count(UInt64(manifest.files.count), "file")); keep it secret"
    )
  }
}
