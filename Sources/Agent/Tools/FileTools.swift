internal import FoundationEssentials
internal import Providers
internal import SwiftProtobuf
internal import Wire

/// `files.*`.
enum FileTools {
  static let all: [AgentTool] = [read, write, edit, list, search, stat]

  private static let pathParameter = AgentTool.Parameter(
    name: "path",
    schema: Schemas.text("Path, relative to the workspace's root."),
    isRequired: true
  )
  private static let folderParameter = AgentTool.Parameter(
    name: "path",
    schema: Schemas.text("Folder, relative to the workspace's root. Default: the root.")
  )
  private static let ifMatchParameter = AgentTool.Parameter(
    name: "if_match",
    schema: Schemas.text(
      "The file's sha256 as you last saw it, or 'absent'. The change is refused if it differs."
    )
  )
  private static let filterParameters: [AgentTool.Parameter] = [
    .init(
      name: "globs",
      schema: Schemas.texts("Patterns of which one must match, e.g. [\"*.py\", \"src/**\"].")
    ),
    .init(name: "include_hidden", schema: Schemas.flag("Also names that begin with a dot.")),
    .init(name: "include_ignored", schema: Schemas.flag("Also what .gitignore leaves out.")),
    .init(
      name: "continuation",
      schema: Schemas.text("To go on after a result that was not all: what it gave for this.")
    ),
  ]

  static let read = AgentTool(
    name: "files.read",
    description: "Reads a text file, whole or some of its lines. Gives its sha256, too.",
    parameters: [
      pathParameter,
      .init(name: "first_line", schema: Schemas.integer("First line, from 1.")),
      .init(name: "last_line", schema: Schemas.integer("Last line, included.")),
    ]
  ) { (arguments: ToolArguments) throws(ToolArgumentError) in
    var request = Gatehouse_Tools_V1_ReadRequest()
    request.path = try path(arguments)
    let first = try arguments.integer("first_line", in: 1...Int.max)
    let last = try arguments.integer("last_line", in: 1...Int.max)
    var lines = Gatehouse_Tools_V1_LineRange()
    lines.first = UInt64(first ?? 1)
    lines.last = UInt64(last ?? 0)
    request.lines = lines
    return try run("files.read", request, about: request.path)
  }

  static let write = AgentTool(
    name: "files.write",
    description: "Makes a file or replaces all of it. Prefer files.edit for changes.",
    parameters: [
      pathParameter,
      .init(name: "content", schema: Schemas.text("All of the file."), isRequired: true),
      ifMatchParameter,
    ]
  ) { (arguments: ToolArguments) throws(ToolArgumentError) in
    var request = Gatehouse_Tools_V1_WriteRequest()
    request.path = try path(arguments)
    request.content = Data(try (arguments.text("content") ?? "").utf8)
    request.makeParents = true
    if let condition = try precondition(arguments) { request.ifMatch = condition }
    return try run("files.write", request, about: request.path)
  }

  static let edit = AgentTool(
    name: "files.edit",
    description: """
      Replaces text in a file: all edits or none. Each old_text must occur exactly once in the \
      file, spaces and line ends included, unless replace_all is true.
      """,
    parameters: [
      pathParameter,
      .init(
        name: "edits",
        schema: [
          "type": "array", "minItems": 1, "description": "Applied in order.",
          "items": [
            "type": "object", "required": ["old_text", "new_text"], "additionalProperties": false,
            "properties": [
              "old_text": Schemas.text("What is there."),
              "new_text": Schemas.text("What shall be there."),
              "replace_all": Schemas.flag("Replace every occurrence."),
            ],
          ],
        ],
        isRequired: true
      ), ifMatchParameter,
    ]
  ) { (arguments: ToolArguments) throws(ToolArgumentError) in
    var request = Gatehouse_Tools_V1_EditRequest()
    request.path = try path(arguments)
    let known = ["old_text", "new_text", "replace_all"]
    for edit in try arguments.objects("edits", of: known) {
      request.edits.append(try replacement(edit))
    }
    guard !request.edits.isEmpty else { throw ToolArgumentError("'edits' is empty") }
    if let condition = try precondition(arguments) { request.ifMatch = condition }
    return try run("files.edit", request, about: request.path)
  }

  static let list = AgentTool(
    name: "files.list",
    description: "Lists the files in a folder.",
    parameters: [
      folderParameter, .init(name: "recursive", schema: Schemas.flag("Also below subfolders.")),
    ] + filterParameters
  ) { (arguments: ToolArguments) throws(ToolArgumentError) in
    var request = Gatehouse_Tools_V1_ListFilesRequest()
    request.path = try path(arguments)
    request.recursive = try arguments.flag("recursive")
    request.globs = try arguments.texts("globs")
    request.includeHidden = try arguments.flag("include_hidden")
    request.includeIgnored = try arguments.flag("include_ignored")
    request.continuation = try continuation(arguments)
    return try run("files.list", request, about: request.path)
  }

  static let search = AgentTool(
    name: "files.search",
    description: "Finds lines that match a regular expression (PCRE2).",
    parameters: [
      .init(name: "pattern", schema: Schemas.text("The expression."), isRequired: true),
      .init(
        name: "path",
        schema: Schemas.text("File or folder, relative to the workspace's root. Default: the root.")
      ),
      .init(name: "literal", schema: Schemas.flag("The pattern is plain text.")),
      .init(name: "ignore_case", schema: Schemas.flag("Upper and lower case are the same.")),
      .init(name: "context_lines", schema: Schemas.integer("Lines before and after; at most 10.")),
    ] + filterParameters
  ) { (arguments: ToolArguments) throws(ToolArgumentError) in
    var request = Gatehouse_Tools_V1_SearchRequest()
    request.pattern = try arguments.text("pattern") ?? ""
    request.path = try path(arguments)
    request.literal = try arguments.flag("literal")
    request.ignoreCase = try arguments.flag("ignore_case")
    request.contextLines = UInt32(try arguments.integer("context_lines", in: 0...10) ?? 0)
    request.globs = try arguments.texts("globs")
    request.includeHidden = try arguments.flag("include_hidden")
    request.includeIgnored = try arguments.flag("include_ignored")
    request.continuation = try continuation(arguments)
    return try run("files.search", request, about: Data(request.pattern.utf8))
  }

  static let stat = AgentTool(
    name: "files.stat",
    description: "Says what a path is: kind, size, mode, time, and its sha256 if asked for.",
    parameters: [
      pathParameter, .init(name: "digest", schema: Schemas.flag("Also give a file's sha256.")),
    ]
  ) { (arguments: ToolArguments) throws(ToolArgumentError) in
    var request = Gatehouse_Tools_V1_StatRequest()
    request.path = try path(arguments)
    request.digest = try arguments.flag("digest")
    return try run("files.stat", request, about: request.path)
  }

  /// File tools are quick; this bounds searches.
  private static let timeout: Duration = .seconds(60)

  private static func run(
    _ tool: String,
    _ request: some SwiftProtobuf.Message,
    about subject: Data
  ) throws(ToolArgumentError) -> PlannedAction {
    let verb = tool.dropFirst("files.".count)
    let subject = String(decoding: subject, as: UTF8.self)
    return .run(
      ToolRequest(
        tool: tool,
        request: try request.encoded(),
        timeout: timeout,
        summary: Summary.line("\(verb) \(subject.isEmpty ? "." : subject)")
      )
    )
  }

  private static func path(_ arguments: ToolArguments) throws(ToolArgumentError) -> Data {
    Data(try (arguments.text("path") ?? "").utf8)
  }

  private static func replacement(
    _ arguments: ToolArguments
  ) throws(ToolArgumentError) -> Gatehouse_Tools_V1_Edit {
    var edit = Gatehouse_Tools_V1_Edit()
    guard let old = try arguments.text("old_text"), let new = try arguments.text("new_text") else {
      throw ToolArgumentError("each of 'edits' needs 'old_text' and 'new_text'")
    }
    edit.oldText = Data(old.utf8)
    edit.newText = Data(new.utf8)
    edit.replaceAll = try arguments.flag("replace_all")
    return edit
  }

  private static func precondition(
    _ arguments: ToolArguments
  ) throws(ToolArgumentError) -> Gatehouse_Tools_V1_Precondition? {
    guard let text = try arguments.text("if_match"), !text.isEmpty else { return nil }
    var condition = Gatehouse_Tools_V1_Precondition()
    if text == "absent" {
      condition.absent = true
    } else {
      guard let bytes = Hexadecimal.bytes(text), bytes.count == 32 else {
        throw ToolArgumentError("'if_match' must be 64 hexadecimal digits, or 'absent'")
      }
      condition.sha256 = Data(bytes)
    }
    return condition
  }

  private static func continuation(_ arguments: ToolArguments) throws(ToolArgumentError) -> Data {
    guard let bytes = Hexadecimal.bytes(try arguments.text("continuation") ?? "") else {
      throw ToolArgumentError("'continuation' must be as the result before gave it")
    }
    return Data(bytes)
  }
}
