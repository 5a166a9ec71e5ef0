internal import FoundationEssentials
internal import SwiftProtobuf
internal import Wire

/// The answers of `files.*` as text for a model.
enum FileResponses {
  /// - Returns: the text, and the diff of a tool that changes files.
  static func text(_ response: Data, tool: String) -> (text: String, diff: String) {
    do {
      switch tool {
      case "files.read": return (try read(.init(serializedBytes: response)), "")
      case "files.write": return try write(.init(serializedBytes: response))
      case "files.edit": return try edit(.init(serializedBytes: response))
      case "files.list": return (try list(.init(serializedBytes: response)), "")
      case "files.search": return (try search(.init(serializedBytes: response)), "")
      case "files.stat": return (try stat(.init(serializedBytes: response)), "")
      default: return ("\(response.count) bytes", "")
      }
    } catch {
      return ("error: the workspace's answer could not be read", "")
    }
  }

  private static func read(_ response: Gatehouse_Tools_V1_ReadResponse) -> String {
    let text = String(decoding: response.content, as: UTF8.self)
    let lines = text.isEmpty ? 0 : text.utf8.count { $0 == 10 } + (text.utf8.last == 10 ? 0 : 1)
    let last = lineNumber(response.firstLine) + max(lines, 1) - 1
    var head =
      lines == 0
      ? "[no lines of \(response.totalLines)"
      : "[lines \(response.firstLine) to \(last) of \(response.totalLines)"
    if !response.sha256.isEmpty { head += "; sha256 \(Hexadecimal.text(response.sha256))" }
    if response.truncated { head += "; go on at first_line \(last + 1)" }
    return head + "]\n" + text
  }

  private static func write(_ response: Gatehouse_Tools_V1_WriteResponse) -> (String, String) {
    let verb = response.created ? "made" : "replaced"
    let text = "\(verb), \(response.totalBytes) bytes, sha256 \(Hexadecimal.text(response.sha256))"
    return (text + "\n" + response.diff, response.diff)
  }

  private static func edit(_ response: Gatehouse_Tools_V1_EditResponse) -> (String, String) {
    let text =
      "\(response.replacements) replaced, \(response.totalBytes) bytes, "
      + "sha256 \(Hexadecimal.text(response.sha256))"
    return (text + "\n" + response.diff, response.diff)
  }

  private static func list(_ response: Gatehouse_Tools_V1_ListFilesResponse) -> String {
    let lines = response.files.map { file in
      switch file.type {
      case .directory: name(file.path) + "/"
      case .symlink: "\(name(file.path)) -> \(name(file.linkTarget))"
      default: "\(name(file.path)) (\(file.bytes) bytes)"
      }
    }
    guard !lines.isEmpty else { return "no files" }
    return (lines + more(response.continuation)).joined(separator: "\n")
  }

  private static func search(_ response: Gatehouse_Tools_V1_SearchResponse) -> String {
    var lines: [String] = []
    for match in response.matches {
      let path = name(match.path)
      let line = lineNumber(match.line)
      let first = line - match.before.count
      for (index, text) in match.before.enumerated() {
        lines.append("\(path)-\(first + index)- \(name(text))")
      }
      lines.append("\(path):\(match.line): \(name(match.text))")
      for (index, text) in match.after.enumerated() {
        lines.append("\(path)-\(line + 1 + index)- \(name(text))")
      }
    }
    if lines.isEmpty { lines = ["no match in \(response.filesSearched) files"] }
    if response.limited { lines.append("[the pattern was too costly in some files; simplify it]") }
    return (lines + more(response.continuation)).joined(separator: "\n")
  }

  private static func stat(_ response: Gatehouse_Tools_V1_StatResponse) -> String {
    let file = response.file
    let kind =
      switch file.type {
      case .directory: "folder"
      case .symlink: "symbolic link to \(name(file.linkTarget))"
      case .regular: "file"
      default: "special file"
      }
    var text = "\(kind), \(file.bytes) bytes, mode \(String(file.mode, radix: 8))"
    if !response.sha256.isEmpty { text += ", sha256 \(Hexadecimal.text(response.sha256))" }
    return text
  }

  /// A daemon may say any number; no file has more lines than this, and sums still fit.
  private static func lineNumber(_ line: UInt64) -> Int { Int(min(line, 1 << 53)) }

  private static func more(_ continuation: Data) -> [String] {
    guard !continuation.isEmpty else { return [] }
    return ["[there is more; continuation \(Hexadecimal.text(continuation))]"]
  }

  private static func name(_ bytes: Data) -> String { String(decoding: bytes, as: UTF8.self) }
}
