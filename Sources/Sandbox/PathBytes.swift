/// Paths as bytes: a file name need not be UTF-8. Nothing here decides where a path may lead.
package enum PathBytes {
  /// The folder's path (empty: the root) and the last name. A final '/' leaves an empty name.
  package static func split(_ path: [UInt8]) -> (folder: [UInt8], name: [UInt8]) {
    guard let slash = path.lastIndex(of: .slash) else { return ([], path) }
    // The first '/' of an absolute path stays, so that the kernel refuses the path.
    let folder = slash == 0 ? path[...0] : path[..<slash]
    return (Array(folder), Array(path[(slash + 1)...]))
  }

  package static func join(_ folder: [UInt8], _ name: [UInt8]) -> [UInt8] {
    folder.isEmpty ? name : folder + (folder.last == .slash ? [] : [.slash]) + name
  }

  /// For C: the bytes and a NUL.
  static func terminated(_ path: [UInt8]) -> [CChar] {
    path.map { CChar(truncatingIfNeeded: $0) } + [0]
  }
}

extension UInt8 {
  package static let slash = UInt8(ascii: "/")
  package static let dot = UInt8(ascii: ".")
}
