internal import Crypto
internal import Daemon
internal import EventLoop
internal import Glibc
internal import Sandbox
internal import Synchronization

/// As sysexits.h: wrong usage, and a service that cannot be had.
enum ExitCode {
  static let usage: Int32 = 64
  static let unavailable: Int32 = 69
}

func fail(_ message: String, _ code: Int32) -> Never {
  StandardStream.error.write("gatehouse-toold: \(message)\n")
  exit(code)
}

/// Runs a daemon until it is asked to end, by SIGTERM or SIGINT, or cannot go on. At SIGHUP it becomes the
/// program that lies at its path by then, which takes its commands over.
func run(_ options: DaemonOptions) throws {
  let program = ThisProcess.path
  DescriptorLimit.raise()
  DescriptorLimit.tellSuccessor()
  try ThisProcess.makeUndumpable()
  CryptoLibrary.useNoConfiguration()
  // Unset, it would end the process: an operator may mean the plane, and name both.
  signal(SIGUSR1) { _ in Log.toggleDebug() }
  let signals = try TerminationSignals()
  let done = try Pipe()
  let problem = Mutex<DaemonOptions.Problem?>(nil)
  let daemon = try Daemon(
    options,
    on: EventLoop(name: "daemon"),
    log: .standardError(options.logLevel, options.logFormat)
  )
  daemon.start { reason in
    problem.withLock { $0 = reason }
    _ = try? done.writing.descriptor.write([1].span)
  }
  var (makesWay, isEnding) = (false, false)
  while try waitForAny(of: [signals.descriptor.number, done.reading.number]) == [true, false] {
    guard let order = signals.next() else { continue }
    // A terminal that is closed says the same, and means the end.
    isEnding =
      isEnding || order == .end || program == nil || StandardStream.error.isTerminal
    makesWay = !isEnding
    if makesWay { daemon.makeWay() } else { daemon.stop() }
  }
  if let problem = problem.withLock({ $0 }) { throw problem }
  if makesWay, let program { throw ThisProcess.become(program) }
}

/// Which descriptors are readable, once one is: a signal with a handler ends a wait for nothing.
func waitForAny(of descriptors: [Int32]) throws -> [Bool] {
  while true {
    let ready = try Readable.wait(descriptors, until: nil)
    if ready.contains(true) { return ready }
  }
}

StandardDescriptors.fill()
do {
  switch try Arguments(ThisProcess.arguments) {
  case .help: StandardStream.output.write(Arguments.usage)
  case .version: StandardStream.output.write(DaemonOptions.version + "\n")
  case .supervise: try Supervisor.run()
  case .run(let options): try run(options)
  }
} catch let misuse as Arguments.Misuse {
  fail(misuse.message, ExitCode.usage)
} catch {
  fail("\(error)", ExitCode.unavailable)
}
