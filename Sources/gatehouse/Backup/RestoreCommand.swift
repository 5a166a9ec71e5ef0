internal import ArgumentParser
internal import Client
internal import Host
internal import Ledger
internal import Plane

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Make a plane's state folder from a backup, verified.",
    discussion: """
      The folder must be new or empty; it becomes whole or is not made. Every byte of the ledger is \
      looked at, and held against the checkpoints outside. Where they have seen events that the backup \
      has not, it ends: with those events the plane would forget what they tell of. --accept-loss goes \
      on without them; the ledger then says so for ever, and so does: gatehouse audit verify.

      The ledger goes on with an event that says from which copy, and a checkpoint of it. Stop the \
      plane that the backup is of, and its local daemons, before the restored one is started: two would \
      write two histories, and verifying finds that. A settings file that is in the backup is not put \
      anywhere: it is settings.yaml in the backup.
      """
  )

  @Argument(help: ArgumentHelp("A folder that gatehouse backup made.", valueName: "backup"))
  var source: String

  @Option(
    help: ArgumentHelp(
      "Go on without events that checkpoints outside have seen and the backup has not; recorded.",
      valueName: "why"
    )
  )
  var acceptLoss: String?

  @OptionGroup var place: StateOptions

  func validate() throws {
    guard let acceptLoss else { return }
    guard !acceptLoss.isEmpty, acceptLoss.utf8.count <= 1_024 else {
      throw ValidationError("--accept-loss says why, in at most 1 KiB")
    }
  }

  func run() async throws {
    let (state, checkpoints) = try place.resolved()
    var options = Restore.Options(
      state: state,
      checkpointFile: checkpoints,
      now: ThisProcess.unixTime
    )
    options.acceptingLoss = acceptLoss
    let report: Restore.Report
    do {
      report = try await Restore(StateOptions.absolute(source), options).run()
    } catch {
      throw ClientError("nothing was restored: \(error)")
    }
    tell(report, state: state, checkpoints: checkpoints)
  }

  private func tell(_ report: Restore.Report, state: String, checkpoints: String) {
    let manifest = report.manifest
    Talk.say(
      "\(state): restored, with the ledger up to event \(manifest.lastEvent); event \(report.event) says so"
    )
    if let beyond = report.beyond {
      Talk.say(
        Talk.style.yellow(
          "missing: \(Plain.count(beyond.until - manifest.lastEvent, "event")) up to \(beyond.until) "
            + "that \(checkpoints) has seen"
        )
      )
    } else if report.hasOnlyOwnCheckpoints {
      Talk.say(
        Talk.style.yellow(
          "there was no \(checkpoints): it was held against the backup's own copy of the checkpoints, "
            + "which says nothing of what came after; hold it against those that were kept elsewhere: "
            + "gatehouse audit verify --offline \(state) --checkpoints FILE"
        )
      )
    }
    let config = place.config.map { " --config \($0)" } ?? ""
    let rest = place.config == nil || place.state != nil ? " --state \(state)" : ""
    Talk.say("start it: gatehouse plane\(config)\(rest)")
  }
}
