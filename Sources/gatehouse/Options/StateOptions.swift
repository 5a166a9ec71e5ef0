internal import ArgumentParser
internal import Client
internal import Host
internal import Plane

/// Where a plane's state is, for commands that work on its files.
struct StateOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The plane's state folder. Default: what --config says, else that of a plane started without.",
      valueName: "dir"
    )
  )
  var state: String?

  @Option(
    help: ArgumentHelp(
      "The plane's settings file, for where its state and its checkpoints are.",
      valueName: "file"
    )
  )
  var config: String?

  @Option(
    help: ArgumentHelp(
      "The checkpoints outside. Default: what --config says, else the state folder's path and .checkpoints.",
      valueName: "file"
    )
  )
  var checkpoints: String?

  /// Both as absolute paths.
  func resolved() throws -> (state: String, checkpoints: String) {
    var configuration = PlaneConfiguration(stateFolder: StateFolder.usual)
    if let config {
      do {
        try SettingsFile.read(config, into: &configuration)
      } catch let problem as SettingsFile.Problem {
        throw ClientError(problem.description, exitCode: 78)  // sysexits.h: EX_CONFIG
      } catch {
        throw ClientError("\(error)")
      }
    }
    let folder = try Self.absolute(state ?? configuration.stateFolder)
    let file = checkpoints ?? configuration.checkpointFile ?? folder + ".checkpoints"
    return (folder, try Self.absolute(file))
  }

  static func absolute(_ path: String) throws -> String {
    do {
      return try StateFolder.absolutePath(path)
    } catch {
      throw ClientError(error.description)
    }
  }
}
