import EventLoop
import FoundationEssentials
import RPC
import Sandbox
import TestSupport
import Testing

@testable import Daemon

/// A daemon in this process, for one plane, with folders that are gone afterwards.
final class TestDaemon: Sendable {
  let path: String
  let options: DaemonOptions
  let daemon: Daemon
  let stopped = Watched<Bool>(false)
  let problem = Watched<DaemonOptions.Problem?>(nil)

  init(
    _ plane: ScriptedPlane,
    token: String = ScriptedPlane.token,
    pins: [String] = [],
    tail: Duration = .seconds(5)
  ) throws {
    path = try makeTemporaryFolder()
    var options = try Self.options(path, plane, token)
    options.pins = pins
    options.tail = tail
    self.options = options
    daemon = try Daemon(options, on: EventLoop(name: "test daemon"), log: Log { _ in })
    daemon.start { [stopped, problem] reason in
      problem.change { $0 = reason }
      stopped.change { $0 = true }
    }
  }

  /// Options for a daemon whose folders are below `path`, which are made.
  static func options(
    _ path: String,
    _ plane: ScriptedPlane,
    _ token: String
  ) throws -> DaemonOptions {
    for name in ["/state", "/root"] {
      try FileManager.default.createDirectory(
        atPath: path + name,
        withIntermediateDirectories: false
      )
    }
    try (token + "\n").write(toFile: path + "/token")
    try plane.pki.authoritiesPEM.write(toFile: path + "/ca.pem")
    var options = DaemonOptions(
      state: path + "/state",
      root: path + "/root",
      authoritiesPEM: plane.pki.authoritiesPEM
    )
    options.enrollAddress = HostPort(host: "127.0.0.1", port: plane.open.address.port)
    options.tokenFile = path + "/token"
    options.program = builtDaemon
    return options
  }

  /// Stops the daemon and waits until it has.
  func stop() async {
    daemon.stop()
    await stopped.wait { $0 }
    daemon.loop.stop()
    try? FileManager.default.removeItem(atPath: path)
  }
}

/// A daemon in a process of its own, that a test may kill.
final class DaemonProcess {
  let process: Int32

  init(_ path: String, _ options: DaemonOptions, openFiles: Int? = nil) throws {
    let arguments = [
      "--state", options.state, "--root", options.root, "--ca", path + "/ca.pem",
      "--enroll-address", options.enrollAddress?.description ?? "", "--token-file", path + "/token",
    ]
    process =
      if let openFiles {
        try Program.start(
          "/usr/bin/prlimit",
          ["prlimit", "--nofile=\(openFiles):", builtDaemon] + arguments,
          passing: []
        )
      } else {
        try Program.start(builtDaemon, ["gatehouse-toold"] + arguments, passing: [])
      }
  }

  func end(_ signal: Int32) {
    Signals.send(signal, to: process)
    Program.reap(process)
  }
}

/// Runs a plane and its daemon for one test.
func withDaemon(
  tail: Duration = .seconds(5),
  heartbeatMs: UInt32 = 600_000,
  _ body: (ScriptedPlane, TestDaemon) async throws -> Void
) async throws {
  let plane = try await ScriptedPlane()
  plane.state.change { $0.heartbeatMs = heartbeatMs }
  let daemon = try TestDaemon(plane, tail: tail)
  await plane.linked(1)
  do {
    try await body(plane, daemon)
  } catch {
    Issue.record(error)
  }
  await daemon.stop()
  await plane.close()
}
