internal import Daemon
internal import Glibc
internal import Sandbox

/// Ends the program because its arguments make no sense.
func refuse(_ message: String) -> Never {
  StandardStream.error.write("gatehouse-toold: \(message)\n")
  exit(64)
}

switch CommandLine.arguments.dropFirst().first {
// Not for people: see `SupervisorLink.launch`.
case "supervise":
  do {
    try Supervisor.run()
  } catch {
    refuse("'supervise' is for the daemon itself: \(error)")
  }
default: refuse("unknown arguments")
}
