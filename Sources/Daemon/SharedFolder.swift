internal import Sandbox

/// A state folder with several holders.
final class SharedFolder: Sendable {
  let folder: StateFolder

  init(_ folder: consuming StateFolder) { self.folder = folder }
}
