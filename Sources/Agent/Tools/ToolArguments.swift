internal import Providers

/// Why a model's arguments can't be used; the message is for the model.
struct ToolArgumentError: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The arguments of one call, checked as they are read. `null` counts as absent.
struct ToolArguments: Sendable {
  private let json: JSON

  /// - Throws: when the text is no JSON object, has a key twice, or one that the tool lacks.
  init(parsing text: String, for tool: AgentTool) throws(ToolArgumentError) {
    do throws(JSONError) {
      json = try JSON(parsing: text, duplicateKeys: .refuse)
    } catch {
      throw ToolArgumentError("the arguments are not valid JSON: \(error)")
    }
    guard let members = json.members else {
      throw ToolArgumentError("the arguments must be a JSON object, not \(json.kind)")
    }
    let known = tool.parameters.map(\.name)
    if let stranger = members.first(where: { !known.contains($0.key) }) {
      throw ToolArgumentError(
        "\(tool.name) has no argument '\(stranger.key)'; it has \(known.joined(separator: ", "))"
      )
    }
    for parameter in tool.parameters where parameter.isRequired {
      guard json[parameter.name] ?? .null != .null else {
        throw ToolArgumentError("\(tool.name) needs the argument '\(parameter.name)'")
      }
    }
  }

  private init(_ json: JSON) { self.json = json }

  /// - Throws: for values that are no string, and strings with a NUL.
  func text(_ key: String) throws(ToolArgumentError) -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.string else { throw wrong(key, value, "a string") }
    guard !text.utf8.contains(0) else { throw ToolArgumentError("'\(key)' has a NUL in it") }
    return text
  }

  /// - Throws: for values that are no whole number within `range`.
  func integer(_ key: String, in range: ClosedRange<Int>) throws(ToolArgumentError) -> Int? {
    guard let value = value(key) else { return nil }
    guard let integer = value.integer else { throw wrong(key, value, "a whole number") }
    guard range.contains(integer) else {
      throw ToolArgumentError(
        "'\(key)' must be between \(range.lowerBound) and \(range.upperBound), not \(integer)"
      )
    }
    return integer
  }

  /// False when absent.
  func flag(_ key: String) throws(ToolArgumentError) -> Bool {
    guard let value = value(key) else { return false }
    guard let flag = value.bool else { throw wrong(key, value, "true or false") }
    return flag
  }

  /// Empty when absent.
  func texts(_ key: String) throws(ToolArgumentError) -> [String] {
    var texts: [String] = []
    for (index, element) in try array(key).enumerated() {
      let place = "\(key)[\(index)]"
      if let text = try ToolArguments([place: element]).text(place) { texts.append(text) }
    }
    return texts
  }

  /// The objects of an array, with no keys but these; empty when absent.
  func objects(_ key: String, of known: [String]) throws(ToolArgumentError) -> [ToolArguments] {
    var objects: [ToolArguments] = []
    for element in try array(key) {
      guard let members = element.members else { throw wrong(key, element, "an array of objects") }
      if let stranger = members.first(where: { !known.contains($0.key) }) {
        throw ToolArgumentError(
          "each of '\(key)' has \(known.joined(separator: ", ")), not '\(stranger.key)'"
        )
      }
      objects.append(ToolArguments(element))
    }
    return objects
  }

  /// The members of an object of strings; empty when absent.
  func pairs(_ key: String) throws(ToolArgumentError) -> [(name: String, value: String)] {
    guard let value = value(key) else { return [] }
    guard let members = value.members else { throw wrong(key, value, "an object of strings") }
    var pairs: [(name: String, value: String)] = []
    for member in members {
      pairs.append((member.key, try ToolArguments(value).text(member.key) ?? ""))
    }
    return pairs
  }

  private func array(_ key: String) throws(ToolArgumentError) -> [JSON] {
    guard let value = value(key) else { return [] }
    guard let array = value.array else { throw wrong(key, value, "an array") }
    return array
  }

  private func value(_ key: String) -> JSON? {
    guard let value = json[key], value != .null else { return nil }
    return value
  }

  private func wrong(_ key: String, _ value: JSON, _ wanted: String) -> ToolArgumentError {
    ToolArgumentError("'\(key)' must be \(wanted), not \(value.kind)")
  }
}
