internal import Foundation
internal import Wire

extension ConformanceCase {
  static let callCases: [ConformanceCase] = [
    ConformanceCase(name: "exec", asks: "run a command and send its output, its code and totals") {
      let call = try await $0.client.exec(["echo", "hello"])
      try await call.expectExit(code: 0)
      try expectEqual(call.stdout, Array("hello\n".utf8), "stdout")
    },
    ConformanceCase(name: "exit-codes", asks: "report exit codes 0 to 255 as they are") { kit in
      for code: Int32 in [0, 1, 2, 127, 255] {
        try await kit.client.shell("exit \(code)").expectExit(code: code)
      }
    },
    ConformanceCase(name: "signalled", asks: "report a death by signal as that, with its number") {
      let exit = try await $0.client.shell("kill -9 $$").finish()
      try expectEqual(exit.outcome, .signalled, "the outcome")
      try expectEqual(exit.signal, 9, "the signal")
    },
    ConformanceCase(
      name: "spawn-failed",
      asks: "say `spawn_failed` and why, when there is no such program"
    ) {
      let exit = try await $0.client.exec(["/no/such/program"]).finish()
      try expectEqual(exit.outcome, .spawnFailed, "the outcome")
      try expectEqual(exit.error.code, "not_found", "the error's code")
    },
    ConformanceCase(
      name: "two-outputs",
      asks: "send stdout and stderr apart, each at offsets of its own"
    ) {
      let call = try await $0.client.shell(
        "i=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done"
      )
      try await call.expectExit(code: 0)
      let expected: (String) -> [UInt8] = { name in
        (0..<200).flatMap { Array("\(name) \($0)\n".utf8) }
      }
      try expectEqual(call.stdout, expected("out"), "stdout")
      try expectEqual(call.stderr, expected("err"), "stderr")
    },
    ConformanceCase(
      name: "stdin",
      asks: "pass stdin on, acknowledge what was taken, and close it when told"
    ) { kit in
      let input = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
      let call = try await kit.client.exec(["cat"]) { $0.stdin = true }
      // Both ways at once: a pipe that is full holds up the other.
      async let writing: Void = {
        try await call.write(input)
        try await call.closeStdin()
      }()
      try await call.expectExit(code: 0)
      try await writing
      try expect(call.stdout == input, "cat gave back other bytes than it was sent")
    },
    ConformanceCase(
      name: "no-stdin",
      asks: "give a command without stdin /dev/null, so that it does not wait"
    ) {
      try await $0.client.exec(["cat"]).expectExit(code: 0)
    },
    ConformanceCase(
      name: "long-request",
      asks: "take a request above 32 KiB from `Carry`, whole, before it starts"
    ) {
      let argument = String(repeating: "x", count: 100_000)
      let call = try await $0.client.exec(["/bin/sh", "-c", "echo ${#1}", "sh", argument])
      try await call.expectExit(code: 0)
      try expectEqual(call.stdout, Array("100000\n".utf8), "the length of the argument")
    },
    ConformanceCase(name: "signal", asks: "send the signals that the call's owner sends") {
      let call = try await $0.client.shell(
        "trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
      )
      try await call.readUntil("ready\n")
      try await call.signal(15)
      try await call.expectExit(code: 3)
      try expectEqual(call.stdout, Array("ready\ngot it\n".utf8), "stdout")
    },
    ConformanceCase(
      name: "cancel",
      asks: "kill the whole tree on `cancel`, and say `cancelled` when it is gone"
    ) { kit in
      let call = try await kit.client.shell("sleep 300 & echo $!; wait")
      try await call.readUntil("\n")
      let child = String(decoding: call.stdout, as: UTF8.self).split(separator: "\n")[0]
      _ = try await kit.client.cancel(call.id)
      let exit = try await call.finish()
      try expectEqual(exit.outcome, .cancelled, "the outcome")
      try expect(exit.treeGone, "tree_gone is false")
      // Nobody may have reaped it yet; then it is gone all the same.
      let look = try await kit.client.shell(
        "case $(cut -d' ' -f3 /proc/\(child)/stat 2>/dev/null) in ''|Z|X) echo gone;; *) echo there;; esac"
      )
      try await look.expectExit(code: 0)
      try expectEqual(look.stdout, Array("gone\n".utf8), "the command's child")
    },
    ConformanceCase(
      name: "owner-gone",
      asks: "end a call whose owner went away, as the plane then asks"
    ) { kit in
      let mark = "owner-gone-\(UUID().uuidString)"
      let call = try await kit.client.shell("echo up; sleep 2; touch \(mark)")
      try await call.readUntil("up\n")
      await call.leave()
      let look = try await kit.client.shell("sleep 3; test -e \(mark) && echo there || echo gone")
      try await look.expectExit(code: 0)
      try expectEqual(look.stdout, Array("gone\n".utf8), "what the command would have made")
    },
    ConformanceCase(
      name: "deadline",
      asks: "end a call at its deadline by itself, as `timed_out`"
    ) {
      let call = try await $0.client.exec(["sleep", "300"], timeout: .seconds(1))
      try await call.expectExit(.timedOut)
    },
    ConformanceCase(
      name: "many-calls",
      asks: "run many calls one after the other and at once; none gets another's output"
    ) { kit in
      var calls: [RunningCall] = []
      for number in 0..<100 { calls.append(try await kit.client.exec(["echo", "\(number)"])) }
      for (number, call) in calls.enumerated() {
        try await call.expectExit(code: 0)
        try expectEqual(call.stdout, Array("\(number)\n".utf8), "stdout of call \(number)")
      }
    },
    ConformanceCase(
      name: "cancel-storm",
      asks:
        "take calls that are cancelled at any moment; each ends in one way, and the next ones run"
    ) { kit in
      for round in 0..<5 {
        var calls: [RunningCall] = []
        for number in 0..<20 {
          let call = try await kit.client.shell("echo \(number); sleep 20")
          try await call.readAccepted()
          // Some before they start, some while, some when they run.
          if number.isMultiple(of: 3) { try await call.readUntil("\(number)\n") }
          calls.append(call)
        }
        for call in calls {
          let exit = try await kit.client.cancel(call.id)
          try expect(
            exit.outcome == .cancelled || exit.outcome == .refused,
            "in round \(round) a cancelled call ended as \(exit.outcome)"
          )
          try await call.finish()
        }
      }
      try await kit.client.exec(["true"]).expectExit(code: 0)
    },
  ]
}
