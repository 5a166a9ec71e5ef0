internal import Host

/// A state folder below the temporary one, removed with the value.
final class TemporaryState: Sendable {
  let folder: StateFolder

  init() throws {
    let parent = ThisProcess.variable("TMPDIR") ?? "/tmp"
    // In a folder of its own, with what the plane keeps beside it.
    folder = try StateFolder("\(parent)/gatehouse-plane-\(UInt64.random(in: 0 ... .max))/state")
  }

  deinit {
    guard let name = folder.path.split(separator: "/").dropLast().last else { return }
    try? folder.removeFolder("../../\(name)")
  }
}
