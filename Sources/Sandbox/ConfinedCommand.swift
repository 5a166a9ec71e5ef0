internal import CLinux
internal import CSpawn

/// A command about to start: in a session of its own, with no_new_privs, behind a Landlock ruleset,
/// with nothing of ours open but its three streams.
package struct ConfinedCommand {
  /// Program and arguments, at least one; no NUL.
  package var arguments: [[UInt8]]
  /// `NAME=value`; no NUL.
  package var environment: [[UInt8]]
  /// How many descriptors it may have open before it asks for more.
  package var descriptorLimit: UInt64

  package init(arguments: [[UInt8]], environment: [[UInt8]], descriptorLimit: UInt64) {
    self.arguments = arguments
    self.environment = environment
    self.descriptorLimit = descriptorLimit
  }

  /// What becomes the command's streams 0, 1 and 2.
  package struct Streams {
    package var input: Int32
    package var output: Int32
    package var error: Int32

    package init(input: Int32, output: Int32, error: Int32) {
      self.input = input
      self.output = output
      self.error = error
    }
  }

  /// Starts the command and gives its process id; its session and process group have the same
  /// number. It dies with the calling thread.
  ///
  /// With `terminal` the streams are one, and it becomes the controlling terminal. Without a
  /// `view` there is no Landlock. Throws what could not be done, once the child is gone again.
  package func start(
    _ streams: Streams,
    terminal: Bool,
    in directory: SharedDescriptor,
    view: FileView?
  ) throws(SpawnFailure) -> Int32 {
    let candidates = self.candidates
    let ruleset = try view.map(Self.ruleset)
    let rules = ruleset?.number ?? -1
    let place = directory.number
    var failure = gh_spawn_failure()
    // Of the ruleset and the folder, numbers only are passed on; they must stay open meanwhile.
    defer { withExtendedLifetime((ruleset, directory)) {} }
    let process = unsafe withCStrings(candidates) { candidates in
      unsafe withCStrings(arguments) { arguments in
        unsafe withCStrings(environment) { environment in
          var command = unsafe gh_command(
            candidates: candidates,
            arguments: arguments,
            environment: environment,
            directory: place,
            streams: (streams.input, streams.output, streams.error),
            takes_terminal: terminal ? 1 : 0,
            ruleset: rules,
            descriptor_limit: UInt(descriptorLimit)
          )
          return unsafe gh_spawn_command(&command, &failure)
        }
      }
    }
    guard process < 0 else { return process }
    let tried = candidates[min(Int(failure.candidate), candidates.count - 1)]
    throw SpawnFailure(
      stage: failure.stage,
      code: failure.code,
      candidate: tried,
      place: place,
      program: arguments.first ?? []
    )
  }

  private static func ruleset(_ view: FileView) throws(SpawnFailure) -> Landlock.Ruleset {
    do {
      return try Landlock.Ruleset(view)
    } catch {
      throw SpawnFailure(code: "internal", message: "the sandbox cannot be made: \(error)")
    }
  }

  /// The paths to try: the program itself if it has a '/', else one in each folder of PATH.
  var candidates: [[UInt8]] {
    let program = arguments.first ?? []
    guard !program.contains(UInt8(ascii: "/")), !program.isEmpty else { return [program] }
    let prefix = Array("PATH=".utf8)
    let path = environment.last { $0.starts(with: prefix) }?.dropFirst(prefix.count) ?? []
    let folders = path.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: true)
    return folders.isEmpty ? [program] : folders.map { $0 + [UInt8(ascii: "/")] + program }
  }
}
