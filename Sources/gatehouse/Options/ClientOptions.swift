internal import ArgumentParser
internal import Client

/// Which plane a command talks to, and as whom.
struct ClientOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The plane's address. Default: GATEHOUSE_PLANE, else what the identity's folder says.",
      valueName: "host:port"
    )
  )
  var plane: String?

  @Option(
    help: ArgumentHelp(
      "State folder of a plane on this machine: act as its admin. Without it: the identity in ~/.config/gatehouse, else that of a plane started without --state.",
      valueName: "dir"
    )
  )
  var state: String?

  /// Another connection, to where the plane is now.
  func reconnect() async throws -> PlaneClient {
    try await PlaneClient.connect(ClientSettings.find(.init(plane: plane, state: state)))
  }

  /// Connects, lends the client, and closes it.
  ///
  /// - Parameters:
  ///   - failure: the exit code of what has none of its own; 125 where 1 may be a command's.
  ///   - body: is lent the client.
  /// - Returns: what `body` does.
  /// - Throws: `ClientError`; what `body` throws.
  func withClient<Result>(
    failure: Int32 = 1,
    _ body: (PlaneClient) async throws -> Result
  ) async throws -> Result {
    do {
      let settings = try ClientSettings.find(.init(plane: plane, state: state))
      let client = try await PlaneClient.connect(settings)
      do {
        let result = try await body(client)
        await client.close()
        return result
      } catch {
        await client.close()
        throw error
      }
    } catch let error as ClientError where error.exitCode == 1 {
      throw error.with(exitCode: failure)
    }
  }
}

/// Output for machines.
struct JSONOption: ParsableArguments {
  @Flag(help: "Print JSON instead of text.")
  var json = false
}
