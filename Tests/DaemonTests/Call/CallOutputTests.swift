import Calls
import DaemonWire
import EventLoop
import Sandbox
import TestSupport
import Testing

@testable import Daemon

@Suite struct `An output that an earlier daemon left` {
  @Test func `has what comes behind what was lost`() throws {
    let temporary = try TemporaryFolder()
    let folder = SharedFolder(try StateFolder(temporary.path + "/call"))
    let positions = try TransferPositions(in: folder.folder, named: CallJournal.File.positions)
    let stream = Int(CallStream.stdout.rawValue)
    (positions[.end, stream], positions[.lost, stream]) = (10, 5)
    let entry = CallJournal(
      tool: "process.exec",
      digest: [],
      requestBytes: 0,
      key: [],
      deadline: .max,
      isTerminal: false,
      dropsOldest: false,
      ringBytes: 0
    )
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let place = CallOutput.Place(folder: folder, positions: positions)
    let output = CallOutput(.stdout, entry, leftIn: place, &buffer)
    let pipe = try Pipe()
    output.open(pipe.reading)
    _ = try pipe.writing.descriptor.write(Array("more".utf8).span)
    _ = try output.take(&buffer, place)
    #expect(output.ring.end == 10)
    #expect(output.end == 19)
    #expect(output.total.sha256.isEmpty)
  }
}
