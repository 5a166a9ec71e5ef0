internal import Sandbox

/// Where the commands of a workspace run: their environment and what they may see.
struct CommandPlace: Sendable {
  let environment: CommandEnvironment
  /// Absolute paths that neither commands nor file tools may reach.
  let hidden: [String]
  /// `nil`: this kernel has no Landlock.
  let view: FileView?

  /// Commands get a folder for temporary files in the state folder when they could make none in
  /// `/tmp`: that is so when something hidden lies below it.
  init(state: String, root: String, hidden: [String], account: Account, inherited: [String: String])
  {
    var environment = CommandEnvironment(from: inherited, account: account)
    let home = environment.variables["HOME"] ?? account.home
    self.hidden =
      [state] + hidden + FileView.secrets(homes: [home, account.home], environment: inherited)
    var view = FileView(
      hidden: self.hidden,
      writable: [root, "/tmp", "/var/tmp"] + FileView.caches(in: home)
    )
    if view.hidden.contains(where: { $0.hasPrefix("/tmp/") }) {
      let scratch = state + "/" + Self.scratchName
      view.writable.append(scratch)
      environment.set("TMPDIR", to: scratch)
    }
    self.environment = environment
    self.view = Landlock.version > 0 ? view.settled() : nil
  }

  static let scratchName = "tmp"
}
