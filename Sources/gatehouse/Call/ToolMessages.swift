internal import Client
internal import FoundationEssentials
internal import SwiftProtobuf
internal import Wire

/// Which messages a tool speaks, for people who write JSON.
enum ToolMessages {
  /// The tool's request message from its JSON form.
  ///
  /// - Throws: `ClientError` for unknown tools, and JSON that is not the tool's.
  static func request(_ tool: String, json: String) throws -> Data {
    guard let (request, _) = types[tool] else {
      let names = types.keys.sorted().joined(separator: ", ")
      throw ClientError("there is no tool '\(tool)'; there are \(names)", exitCode: 64)
    }
    do {
      return try request.init(jsonString: json).serializedBytes()
    } catch {
      throw ClientError(
        "--request is no \(request.protoMessageName): \(reason(error))",
        exitCode: 64
      )
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error as? JSONDecodingError {
    case .unknownField(let name): "it has no field '\(name)'; see Proto/gatehouse/tools/v1"
    case .malformedString, .failure:
      """
      a value is none of its field's; bytes, as every path is, are base64: \
      {"path": "TWFrZWZpbGU="} is Makefile
      """
    case .malformedNumber, .numberRange: "a number is none, or out of its range"
    case .truncated, .trailingGarbage: "it does not end where JSON does; are the quotes right?"
    default: "\(error)"
    }
  }

  /// A tool's answer as JSON; `nil` for commands, which have none.
  ///
  /// - Throws: `ClientError` for bytes that are no answer of the tool's.
  static func response(_ tool: String, _ bytes: Data) throws -> String? {
    guard let response = types[tool]?.response else { return nil }
    var options = JSONEncodingOptions()
    options.preserveProtoFieldNames = true
    do {
      return try response.init(serializedBytes: bytes).jsonString(options: options)
    } catch {
      throw ClientError(
        "the daemon's answer is no \(response.protoMessageName): \(error)",
        exitCode: 125
      )
    }
  }

  private static let types: [String: (request: any Message.Type, response: (any Message.Type)?)] = [
    "process.exec": (Gatehouse_Tools_V1_ExecRequest.self, nil),
    "process.shell": (Gatehouse_Tools_V1_ShellRequest.self, nil),
    "files.read": (Gatehouse_Tools_V1_ReadRequest.self, Gatehouse_Tools_V1_ReadResponse.self),
    "files.write": (Gatehouse_Tools_V1_WriteRequest.self, Gatehouse_Tools_V1_WriteResponse.self),
    "files.edit": (Gatehouse_Tools_V1_EditRequest.self, Gatehouse_Tools_V1_EditResponse.self),
    "files.stat": (Gatehouse_Tools_V1_StatRequest.self, Gatehouse_Tools_V1_StatResponse.self),
    "files.list": (
      Gatehouse_Tools_V1_ListFilesRequest.self, Gatehouse_Tools_V1_ListFilesResponse.self
    ),
    "files.search": (
      Gatehouse_Tools_V1_SearchRequest.self, Gatehouse_Tools_V1_SearchResponse.self
    ),
  ]
}
