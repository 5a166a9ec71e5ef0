internal import Sandbox

/// Whether a person's folder may be a workspace's root. Its daemon checks that itself; this says it
/// before anything is made.
enum RootCheck {
  /// What is wrong with `root`, for people; `nil` when nothing is, or it is empty: the plane's own.
  ///
  /// `state` is the plane's folder; `environment` says where the account's secrets lie.
  static func problem(_ root: String, state: String, _ environment: [String: String]) -> String? {
    guard !root.isEmpty else { return nil }
    let hidden = [state] + FileView.secrets(homes: [], environment: environment)
    return RootConflict(of: root, hidden: hidden)?.description
  }
}
