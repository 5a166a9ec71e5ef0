package import EventLoop
internal import CLinux

extension Root {
  /// Holds the place of a folder, for a command to start in. Links are followed within the root.
  package func hold(folder path: [UInt8]) throws(SystemError) -> SharedDescriptor {
    SharedDescriptor(try beneath(path, O_DIRECTORY, isPlace: true))
  }
}
