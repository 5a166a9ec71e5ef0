internal import Broker
internal import Foundation
internal import Wire

extension ConformanceCase {
  static let linkCases: [ConformanceCase] = [
    ConformanceCase(
      name: "hello",
      asks: "say hello with an instance id of 16 bytes, a bound of calls and the tool process.exec"
    ) { kit in
      let link = try await kit.link()
      try expectEqual(link.instance.count, 16, "the length of the instance id")
      try expect(
        link.instance.contains { $0 != 0 },
        "the instance id is all zeros; make it at random"
      )
      try expect(link.maxCalls >= 4, "max_calls is \(link.maxCalls); these cases need 4")
      try expect(
        link.tools.contains("process.exec"),
        "the capabilities name no process.exec, only \(link.tools)"
      )
    },
    ConformanceCase(
      name: "heartbeat",
      asks: "send a heartbeat as often as `welcome` says, so that an idle link stays up"
    ) { kit in
      let before = try await kit.link()
      // The link is dead after three that are missing.
      try await kit.expectLinkStays(for: .seconds(5))
      let after = try await kit.link()
      try expectEqual(after.epoch, before.epoch, "the link's epoch after five idle seconds")
    },
    ConformanceCase(
      name: "unknown-tool",
      asks: "answer `refused` with the code unknown_tool to an offer of a tool that there is not"
    ) { kit in
      let call = try await kit.client.start("no.such.tool", [])
      let exit = try await call.finish()
      try expectEqual(exit.outcome, .refused, "the outcome")
      try expectEqual(exit.error.code, "unknown_tool", "the error's code")
    },
    ConformanceCase(
      name: "reconnect",
      asks:
        "dial again after a cut, with the same instance id and the inventory of the calls there are"
    ) { kit in
      let before = try await kit.link()
      let call = try await kit.client.shell("echo up; exec sleep 30")
      try await call.readUntil("up\n")
      try await kit.cutAndWait()
      let after = try await kit.link()
      try expectEqual(after.instance, before.instance, "the instance id of the same program")
      _ = try await kit.client.cancel(call.id)
      try await call.expectExit(.cancelled)
    },
  ]
}
