/// `output.read`: the loop's own tool, for what a clipped result left out.
enum OutputTool {
  static let read = AgentTool(
    name: "output.read",
    description: """
      Reads more of an earlier result that was too long to show. The result says which call and \
      which offset.
      """,
    parameters: [
      .init(name: "call", schema: Schemas.text("The call, e.g. c3."), isRequired: true),
      .init(
        name: "offset",
        schema: Schemas.integer("First byte; below 0: counted from the end."),
        isRequired: true
      ),
      .init(
        name: "max_bytes",
        schema: Schemas.integer("Default and most: \(Clip.maxBytes).")
      ),
    ]
  ) { (arguments: ToolArguments) throws(ToolArgumentError) in
    let most = try arguments.integer("max_bytes", in: 1...Int.max) ?? Clip.maxBytes
    return .readOutput(
      OutputRange(
        call: try arguments.text("call") ?? "",
        offset: try arguments.integer("offset", in: Int.min...Int.max) ?? 0,
        maxBytes: min(most, Clip.maxBytes)
      )
    )
  }
}
