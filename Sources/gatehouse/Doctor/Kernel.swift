internal import Sandbox

/// What the kernel offers to confine commands. Alone in its file, since `Sandbox` and `Host` use
/// some names for different things.
enum Kernel {
  /// 0: there is no Landlock.
  static var landlockVersion: Int { Landlock.version }
}
