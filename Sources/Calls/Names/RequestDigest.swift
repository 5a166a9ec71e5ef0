/// What the digest of a call's request is taken over.
///
/// The digest is SHA-256 of: the domain tag `gatehouse.call.v1` and a NUL; the tool's name as UTF-8
/// behind its length in bytes (32 bits, big-endian); the request as it came from the client.
/// protobuf is not canonical, so the request is never encoded again to compare it. The tag keeps
/// the digest of a call from being mistaken for that of anything else.
package enum RequestDigest {
  package static let domainTag = "gatehouse.call.v1\0"

  /// What stands before the request, for a hash that takes its input in pieces.
  package static func header(tool: String) -> [UInt8] {
    let length = UInt32(tool.utf8.count)
    var header: [UInt8] = []
    header.reserveCapacity(domainTag.utf8.count + 4 + tool.utf8.count)
    header.append(contentsOf: domainTag.utf8)
    for shift: UInt32 in [24, 16, 8, 0] {
      header.append(UInt8(truncatingIfNeeded: length >> shift))
    }
    header.append(contentsOf: tool.utf8)
    return header
  }

  /// All of it, for a hash that takes its input at once.
  package static func input(tool: String, request: [UInt8]) -> [UInt8] {
    header(tool: tool) + request
  }
}
