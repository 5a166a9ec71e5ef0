package import Providers

/// The one place that describes tools to a model, and turns its arguments into requests.
package struct ToolCatalog: Sendable {
  private let tools: [AgentTool]

  /// Every tool there is.
  package init() {
    tools = ProcessTools.all + FileTools.all + [OutputTool.read]
  }

  /// Those of a workspace's tools that the agent knows, and its own; `available` is what the
  /// workspace's daemon has.
  package init(available: some Collection<String>) {
    tools = ToolCatalog().tools.filter {
      available.contains($0.name) || $0.name == OutputTool.read.name
    }
  }

  package var modelTools: [ModelTool] { tools.map(\.modelTool) }

  /// Never fails: what can't be done comes back as a refusal for the model.
  package func plan(_ call: ModelCall) -> PlannedAction {
    guard let tool = tools.first(where: { $0.name == call.tool }) else {
      let names = tools.map(\.name).joined(separator: ", ")
      return .refuse("there is no tool '\(call.tool)'; there are \(names)")
    }
    do throws(ToolArgumentError) {
      return try tool.plan(ToolArguments(parsing: call.arguments, for: tool))
    } catch {
      return .refuse(error.description)
    }
  }
}
