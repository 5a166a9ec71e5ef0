internal import Host
internal import Yams

/// The file of `gatehouse plane --config`: YAML, whose keys are `PlaneConfiguration.settings`.
///
///     state: /var/lib/gatehouse
///     listen: 0.0.0.0:7443
///     log: {level: info, format: json}
///     calls:
///       default_timeout: 10m
package struct SettingsFile {
  private let path: String
  private let isPrivate: Bool
  private var configuration: PlaneConfiguration
  private var problems: [String] = []
  private var problemCount = 0
  /// More are counted: nobody reads them, and to make them takes time.
  private static let maxProblems = 20

  /// A file that makes no sense: every problem on a line of its own, with file, line and column.
  package struct Problem: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// Puts what the file at `path` says into `configuration`. A file with a key in it, or an address
  /// that may hold one, is hidden from the commands of local workspaces.
  ///
  /// - Throws: `Problem`, or `HostError` when the file cannot be read.
  package static func read(_ path: String, into configuration: inout PlaneConfiguration) throws {
    let file = try SmallFile(path)
    guard let text = String(validating: file.bytes, as: UTF8.self) else {
      throw Problem(description: "\(path): is not UTF-8")
    }
    var reader = SettingsFile(
      path: path,
      isPrivate: file.isPrivate,
      configuration: configuration
    )
    try reader.read(text)
    configuration = reader.configuration
    if configuration.model.key != nil || configuration.checkpointWebhook != nil {
      configuration.hiddenFiles.append(path)
    }
    if let keyFile = configuration.model.keyFile { configuration.hiddenFiles.append(keyFile) }
  }

  /// As `read(_:into:)`, of a file's text.
  package static func read(
    text: String,
    named path: String,
    isPrivate: Bool = false,
    into configuration: inout PlaneConfiguration
  ) throws {
    var reader = SettingsFile(path: path, isPrivate: isPrivate, configuration: configuration)
    try reader.read(text)
    configuration = reader.configuration
  }

  private init(path: String, isPrivate: Bool, configuration: PlaneConfiguration) {
    self.path = path
    self.isPrivate = isPrivate
    self.configuration = configuration
  }

  private mutating func read(_ text: String) throws {
    let root: Node?
    do {
      root = try compose(yaml: text)
    } catch let error as YamlError {
      throw Problem(description: "\(path):\(Self.place(of: error))")
    }
    // Nothing but comments is a file, too.
    if let root, root.null == nil { read(root, below: "") }
    if problemCount > problems.count {
      problems.append("\(path): and \(problemCount - problems.count) more of the kind")
    }
    guard problems.isEmpty else { throw Problem(description: problems.joined(separator: "\n")) }
  }

  private mutating func read(_ node: Node, below group: String) {
    guard let mapping = node.mapping else {
      let what = group.isEmpty ? "the file" : "'\(group)'"
      return complain(node, "\(what) is not made of `key: value` lines; see the reference page")
    }
    for (key, value) in mapping {
      guard let name = key.scalar?.string else {
        complain(key, "a key is a word")
        continue
      }
      take(value, of: group.isEmpty ? name : "\(group).\(name)", at: key)
    }
  }

  private mutating func take(_ value: Node, of key: String, at place: Node) {
    if let setting = PlaneConfiguration.settings.first(where: { $0.key == key }) {
      return set(setting, to: value)
    }
    guard PlaneConfiguration.settings.contains(where: { $0.key.hasPrefix(key + ".") }) else {
      return complain(place, "there is no setting '\(key)'" + Self.advice(for: key))
    }
    // An empty group says nothing.
    if value.null == nil { read(value, below: key) }
  }

  private mutating func set(_ setting: Setting, to value: Node) {
    guard value.null == nil else {
      return complain(value, "'\(setting.key)' has no value; give one, or remove the line")
    }
    do throws(SettingValue.Problem) {
      switch setting.place {
      case .text(let put):
        guard let text = value.scalar?.string else {
          throw SettingValue.Problem(message: "is not one value")
        }
        do throws(SettingValue.Problem) {
          try put(text, &configuration)
        } catch {
          // A secret that was mistyped must not be shown.
          let isSecret = ["model.key", "ledger.webhook"].contains(setting.key)
          let shown = isSecret ? "" : " '\(text)'"
          return complain(value, "\(setting.key):\(shown) \(error.message)")
        }
      case .list(let put):
        guard let texts = value.sequence?.map(\.scalar?.string), !texts.contains(nil) else {
          throw SettingValue.Problem(message: "is not a list; write e.g. [a, b]")
        }
        try put(texts.compactMap { $0 }, &configuration)
      }
    } catch {
      complain(value, "\(setting.key): \(error.message)")
    }
    guard setting.key == "model.key", !isPrivate else { return }
    let path = path
    complain(
      value,
      "model.key is here, and other accounts can read this file; run: chmod 600 \(path); "
        + "or use model.key_env or model.key_file"
    )
  }

  private mutating func complain(_ node: Node, _ message: @autoclosure () -> String) {
    problemCount += 1
    guard problems.count < Self.maxProblems else { return }
    let mark = node.mark.map { "\($0.line):\($0.column): " } ?? ""
    problems.append("\(path):\(mark)\(message())")
  }

  /// Names what was meant, or what there is.
  private static func advice(for key: String) -> String {
    let keys = PlaneConfiguration.settings.map(\.key)
    let near = keys.map { (key: $0, distance: distance(key, $0)) }.min { $0.distance < $1.distance }
    if let near, near.distance <= 2 { return "; did you mean '\(near.key)'?" }
    let group = key.split(separator: ".").dropLast().joined(separator: ".")
    let beside = keys.filter { group.isEmpty ? true : $0.hasPrefix(group + ".") }
      .map { group.isEmpty ? String($0.prefix { $0 != "." }) : $0 }
    var seen: Set<String> = []
    return "; there are: " + beside.filter { seen.insert($0).inserted }.joined(separator: ", ")
  }

  /// How many letters differ (Levenshtein).
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (i, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in right.indices {
        let cost = diagonal + (letter == right[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(cost, row[j] + 1, diagonal + 1)
      }
    }
    return row[right.count]
  }

  /// `line:column: what is wrong`.
  private static func place(of error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      "\(mark.line):\(mark.column): \(problem)"
    case .duplicatedKeysInMapping(let duplicates, let context):
      "\(context.mark.line):\(context.mark.column): "
        + "this group has a key twice: \(duplicates.sorted().joined(separator: ", "))"
    case .reader(let problem, _, _, _): " \(problem)"
    default: " is no YAML"
    }
  }
}
