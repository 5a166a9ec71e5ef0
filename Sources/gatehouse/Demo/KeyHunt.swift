internal import Client
internal import FoundationEssentials
internal import SwiftProtobuf
internal import Wire

/// Looks for the model's key where it must not be. The workspace only shows what it has; the
/// comparing is done here, so that the key isn't carried to the very place it must not reach.
struct KeyHunt: Sendable {
  /// Shows the environment of a command, and of every process that it can look into.
  static let script = """
    env
    open=0 shut=0
    for file in /proc/[0-9]*/environ; do
      if cat "$file" 2>/dev/null; then open=$((open + 1)); else shut=$((shut + 1)); fi
    done
    echo
    echo "$open processes shown, $shut closed to it"
    """

  let key: String
  let client: PlaneClient
  let screen: DemoScreen

  /// - Returns: whether the key was nowhere.
  func run(_ stage: DemoStage) async throws -> Bool {
    screen.command("env; cat /proc/*/environ" + screen.style.dim("   in the workspace"))
    let shown = try await client.collect("process.shell", in: DemoStage.workspace) {
      Gatehouse_Tools_V1_ShellRequest.with { $0.script = Self.script }
    }
    let last = String(decoding: shown, as: UTF8.self).split(separator: "\n").last.map(String.init)
    screen.note("\(last ?? "nothing was shown"); \(Plain.size(UInt64(shown.count))) in all")
    // The same search must find what is there, else it would prove nothing.
    let finds = contains(shown, "PATH=")
    let isFound = contains(shown, key)
    let files = filesWithKey(below: stage.folder)
    if !isFound && finds && files.isEmpty {
      screen.good("the key is not among it, nor in the state folder, logs and files on disk")
      return true
    }
    if !finds { screen.bad("the search itself failed: it did not even find PATH") }
    if isFound { screen.bad("the key IS readable there: \(Self.remedy)") }
    for file in files { screen.bad("the key IS in \(file)") }
    return false
  }

  private static let remedy =
    "a process of this account has it in its environment, and this kernel lets commands look; "
    + "start the plane from another account, or run workspaces in a container"

  private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard let first = wanted.first else { return true }
    var rest = bytes[...]
    while let start = rest.firstIndex(of: first) {
      rest = rest[start...]
      if rest.starts(with: wanted) { return true }
      rest = rest.dropFirst()
    }
    return false
  }

  private func filesWithKey(below folder: String) -> [String] {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    return names.filter { name in
      guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
        return false
      }
      return contains(Array(bytes), key)
    }
  }
}
