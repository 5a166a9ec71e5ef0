internal import Sandbox

/// Paths as the kernel has them.
enum RealPath {
  /// The path without symbolic links; nil when there is nothing.
  static func of(_ path: String) -> String? { StateFolder.realPath(path) }
}
