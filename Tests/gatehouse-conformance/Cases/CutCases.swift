internal import Calls
internal import Foundation
internal import Wire

extension ConformanceCase {
  private static let lines =
    "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); sleep 0.01; done"
  private static let linesOutput = (0..<300).flatMap { Array("line \($0)\n".utf8) }

  static let cutCases: [ConformanceCase] = [
    ConformanceCase(
      name: "cut-link",
      asks: "go on after cuts of the link from the positions that `resume` names, to the byte"
    ) { kit in
      let call = try await kit.client.shell(lines)
      for line in [20, 100, 200] {
        try await call.readUntil("line \(line)\n")
        await kit.cut()
      }
      try await call.expectExit(code: 0)
      try expect(call.stdout == linesOutput, "the output is not what the command wrote")
      try expect(call.states.contains(.detached), "no cut was seen")
    },
    ConformanceCase(
      name: "cut-carry",
      asks: "report a `Carry` that was cut as `unclaimed`, and open the next one on `resume`"
    ) { kit in
      let call = try await kit.client.shell(lines)
      for line in [20, 100, 200] {
        try await call.readUntil("line \(line)\n")
        kit.carries.endAll()
      }
      try await call.expectExit(code: 0)
      try expect(call.stdout == linesOutput, "the output is not what the command wrote")
    },
    ConformanceCase(
      name: "cut-stdin",
      asks: "say in `opened` how much stdin there is, and take the rest from there"
    ) { kit in
      let call = try await kit.client.exec(["cat"]) { $0.stdin = true }
      for number in 0..<60 {
        try await call.write(Array("line \(number)\n".utf8))
        if number % 20 == 10 {
          try await call.readUntil("line \(number)\n")
          await kit.cut()
        }
      }
      try await call.closeStdin()
      try await call.expectExit(code: 0)
      let expected = (0..<60).flatMap { Array("line \($0)\n".utf8) }
      try expect(call.stdout == expected, "cat gave back other bytes than it was sent")
    },
    ConformanceCase(
      name: "cut-bulk",
      asks: "keep output that was not acknowledged, so that cuts under load lose and repeat nothing"
    ) { kit in
      let call = try await kit.client.shell(
        "i=0; while [ $i -lt 16 ]; do head -c 1000000 /dev/urandom; i=$((i+1)); sleep 0.02; done"
      )
      call.keepsOutput = false
      for count: UInt64 in [2_000_000, 8_000_000] {
        try await call.read(count)
        await kit.cut()
      }
      // The exit's digest is compared with what came.
      try await call.expectExit(code: 0)
      try expectEqual(call.outputs[.stdout]?.end, 16_000_000, "what came of stdout")
      try expectEqual(call.outputs[.stdout]?.lost ?? 0, 0, "what was lost")
    },
    ConformanceCase(
      name: "exit-while-cut",
      asks: "keep the exit of a call that ended while there was no link, and deliver it"
    ) { kit in
      let call = try await kit.client.shell("echo up; sleep 0.3; echo down; exit 7")
      try await call.readUntil("up\n")
      await kit.cut()
      try await call.expectExit(code: 7)
      try expectEqual(call.stdout, Array("up\ndown\n".utf8), "stdout")
    },
    ConformanceCase(
      name: "refused-ticket",
      asks: "keep a call whose `Carry` was NOT_FOUND, say `unclaimed`, and start nothing twice"
    ) { kit in
      try await startsOnce(kit, .refuse)
    },
    ConformanceCase(
      name: "replayed-offer",
      asks: "open `Carry` with the new ticket of an offer that comes again, and start nothing twice"
    ) { kit in
      try await startsOnce(kit, .swallow)
    },
    ConformanceCase(name: "alive", asks: "still be there after all of this") { kit in
      try await kit.client.exec(["echo", "well"]).expectExit(code: 0)
    },
  ]

  /// A call whose first `Carry` comes to nothing still runs once.
  private static func startsOnce(
    _ kit: Kit,
    _ treatment: CarryMeddler.Treatment
  ) async throws {
    let mark = "started-\(UUID().uuidString)"
    let before = kit.carries.count
    kit.carries.treatNext(as: treatment)
    let call = try await kit.client.shell("echo start >> \(mark); sleep 0.2; cat \(mark)")
    try await call.expectExit(code: 0)
    try expect(kit.carries.count - before >= 2, "Carry was opened once only")
    let look = try await kit.client.shell("cat \(mark)")
    try await look.expectExit(code: 0)
    try expectEqual(look.stdout, Array("start\n".utf8), "how often the command started")
    try expectEqual(call.stdout, look.stdout, "stdout")
  }
}
