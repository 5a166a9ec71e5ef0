package import EventLoop
package import LogLines

/// What a daemon is told when it starts.
package struct DaemonOptions: Sendable {
  /// Where key, certificate and the journal of calls are kept.
  package var state: String
  /// The workspace: where commands run and files are.
  package var root: String
  /// The root was made for this workspace alone, so it may lie in what is hidden.
  package var ownsRoot = false
  /// The plane's mutual listener; `nil`: as enrollment says.
  package var plane: HostPort?
  /// The plane's open listener, and the file with the one-use token; needed until enrolled.
  package var enrollAddress: HostPort?
  package var tokenFile: String?
  /// What the plane's certificate must chain to, in PEM.
  package var authoritiesPEM: String
  /// Public keys of which one must be in the plane's chain: `sha256//…`. Empty: any.
  package var pins: [String] = []
  /// Further paths that commands must not see, e.g. the plane's state on the same machine.
  package var hidden: [String] = []
  /// A call takes up to nine descriptors; the program raises its limit to what it may have.
  package var maxCalls = 128
  /// The most between two attempts to link.
  package var longestWait: Duration = .seconds(30)
  /// What is logged, and how; no format: text on a terminal, else JSON.
  package var logLevel = LogLevel.info
  package var logFormat: LogFormat?
  /// For the plane to take what was written by a command that was ordered to end, once it has.
  /// Kept short of what the plane waits for an exit, with the time to kill.
  package var tail: Duration = .seconds(5)
  /// How much is looked at to find out what a command changed.
  var survey = Survey.Limits()
  /// `gatehouse-toold` itself, which supervises the commands.
  package var program = "/proc/self/exe"

  package init(state: String, root: String, authoritiesPEM: String) {
    self.state = state
    self.root = root
    self.authoritiesPEM = authoritiesPEM
  }

  package static let version = "gatehouse-toold/0.1"

  /// Why a daemon cannot start, for people.
  package struct Problem: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
  }
}
