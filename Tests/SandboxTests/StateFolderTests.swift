import EventLoop
import FoundationEssentials
import Testing

@testable import Sandbox

@Suite struct `A state folder` {
  @Test func `gives back what was written, as a whole, to its owner only`() throws {
    try withTemporaryFolder { path in
      let folder = try StateFolder(path + "/state")
      #expect(try folder.read("exit") == nil)
      try folder.write("exit", [1, 2, 3])
      try folder.write("exit", [4], durable: true)
      #expect(try folder.read("exit") == [4])
      #expect(folder.names() == ["exit"])
      let attributes = try FileManager.default.attributesOfItem(atPath: path + "/state/exit")
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test func `removes a folder below with its files`() throws {
    try withTemporaryFolder { path in
      let folder = try StateFolder(path)
      let below = try folder.folder("call")
      try below.write("a", [1])
      folder.removeFolder("call")
      #expect(folder.names().isEmpty)
    }
  }

  @Test func `is found by a socket however long its path`() throws {
    try withTemporaryFolder { path in
      let outer = try StateFolder(path)
      let folder = try outer.folder(String(repeating: "x", count: 200))
      let listener = try ControlSocket.listening(in: folder, named: "s")
      let client = try ControlSocket.connecting(in: folder, named: "s")
      let server = try ControlSocket.accept(on: listener)
      let pipe = try Pipe()
      try client.send([7], passing: [pipe.reading.number])
      let received = try server.receive()
      #expect(received.message == [7])
      #expect(received.descriptors.count == 1)
    }
  }

  @Test func `is not waited in where nobody accepts`() throws {
    try withTemporaryFolder { path in
      let folder = try StateFolder(path)
      let listener = try ControlSocket.listening(in: folder, named: "s")
      var waiting: [ControlSocket] = []
      let error = #expect(throws: SystemError.self) {
        while waiting.count < 100 {
          waiting.append(try ControlSocket.connecting(in: folder, named: "s"))
        }
      }
      #expect(error?.isWouldBlock == true)
      #expect(error?.isNobodyThere == false)
      _ = try ControlSocket.accept(on: listener)
    }
  }
}

/// A folder that is gone afterwards.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
  let path = "/tmp/gatehouse-test-\(UInt64.random(in: 0 ... .max))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(path)
}
