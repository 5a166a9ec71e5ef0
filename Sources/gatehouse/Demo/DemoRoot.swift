internal import Sandbox

/// Whether someone's own folder may be the demo's workspace; its daemon checks the same.
enum DemoRoot {
  /// What is wrong with it, for people.
  static func problem(_ path: String) -> String? {
    let hidden = FileView.secrets(
      homes: [Account.current.home],
      environment: Account.environment
    )
    return RootConflict(of: path, hidden: hidden)?.description
  }
}
