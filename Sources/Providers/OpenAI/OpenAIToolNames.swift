/// Tool names as the API allows them (`[A-Za-z0-9_-]{1,64}`), and the way back.
struct OpenAIToolNames {
  private let original: [String: String]

  init(_ tools: [ModelTool]) {
    original = Dictionary(
      tools.map { (Self.spelled($0.name), $0.name) },
      uniquingKeysWith: { first, _ in first }
    )
  }

  static func spelled(_ name: String) -> String {
    String(name.map { $0 == "." ? "_" : $0 })
  }

  /// The tool's own name; a name nobody knows stays what it is.
  func original(of name: String) -> String { original[name] ?? name }
}
