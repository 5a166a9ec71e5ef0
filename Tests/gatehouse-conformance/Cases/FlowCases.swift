internal import Calls
internal import Foundation
internal import Wire

extension ConformanceCase {
  static let flowCases: [ConformanceCase] = [
    ConformanceCase(
      name: "slow-reader",
      asks: "wait for a reader that stopped, lose nothing, and serve others meanwhile"
    ) { kit in
      let count = 16 << 20
      let call = try await kit.client.exec(["head", "-c", "\(count)", "/dev/zero"])
      call.keepsOutput = false
      try await call.readAccepted()
      for number in 0..<10 {
        let beside = try await kit.client.exec(["echo", "\(number)"])
        try await beside.expectExit(code: 0)
      }
      // In parts, with another call between them.
      for part in 1...16 {
        try await call.read(UInt64(part) << 20)
        try await kit.client.exec(["true"]).expectExit(code: 0)
      }
      try await call.expectExit(code: 0)
      try expectEqual(call.outputs[.stdout]?.end, UInt64(count), "what came of stdout")
    },
    ConformanceCase(
      name: "bulk",
      asks: "move much output (1 GiB unless told otherwise), each byte at its place"
    ) { kit in
      // How long it may take is `--timeout`'s to say.
      let command = ["head", "-c", "\(kit.bulkBytes)", "/dev/zero"]
      let call = try await kit.client.exec(command, timeout: .seconds(3_600))
      call.keepsOutput = false
      try await call.expectExit(code: 0)
      try expectEqual(call.outputs[.stdout]?.end, UInt64(kit.bulkBytes), "what came of stdout")
      try expectEqual(call.outputs[.stdout]?.lost ?? 0, 0, "what was lost")
    },
    ConformanceCase(
      name: "gaps",
      asks: "with DROP_OLDEST, say each lost byte in a `gap`, and count it in the totals"
    ) { kit in
      let count = 32 << 20
      let script = "head -c \(count) /dev/zero; touch gaps.done"
      let call = try await kit.client.exec(["sh", "-c", script]) {
        $0.output.whenFull = .dropOldest
        $0.output.ringBytes = 65_536
      }
      call.keepsOutput = false
      try await call.readAccepted()
      // While nobody reads, the command may run to its end; a daemon that keeps it waiting gets no
      // longer than this.
      let wait = "i=0; while [ ! -e gaps.done ] && [ $i -lt 250 ]; do i=$((i+1)); sleep 0.02; done"
      try await kit.client.exec(["sh", "-c", wait]).expectExit(code: 0)
      try await call.expectExit(code: 0)
      // Chunks and gaps together; a daemon that keeps all of it has none to say.
      try expectEqual(call.outputs[.stdout]?.end, UInt64(count), "what came of stdout, with gaps")
    },
  ]
}
