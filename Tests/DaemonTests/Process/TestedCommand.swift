import EventLoop
import FoundationEssentials
import Sandbox
import Testing

@testable import Daemon

/// A command under a real supervisor, read by the test as a daemon reads it.
final class TestedCommand {
  private var connection: SupervisorLink?
  private let supervisor: Int32?
  private(set) var streams: CommandStreams?
  private(set) var output: [UInt8] = []
  private(set) var error: [UInt8] = []
  private(set) var record: ExitRecord?
  private(set) var isGone = false
  let folder: StateFolder
  private let path: String

  /// What a test may say about the command; the rest is plain.
  struct Options {
    var terminal: TerminalSize?
    var hasInput = false
    var view: FileView?
    var environment = ["PATH=/usr/bin:/bin"]
    var directory = "/"
    var descriptorLimit: UInt64 = 1_024
    var program = builtDaemon
  }

  static let key = [UInt8](repeating: 7, count: 16)

  init(_ arguments: [String], _ options: Options = Options()) throws {
    path = try makeTemporaryFolder()
    folder = try StateFolder(path + "/call")
    let plan = SupervisorPlan(
      key: Self.key,
      arguments: arguments.map { Array($0.utf8) },
      environment: options.environment.map { Array($0.utf8) },
      terminal: options.terminal,
      hasInput: options.hasInput,
      view: options.view,
      descriptorLimit: options.descriptorLimit
    )
    let link = try SupervisorLink.launch(
      plan,
      program: options.program,
      in: Descriptor.openFolder(options.directory),
      folder: folder
    )
    (connection, supervisor) = (link, link.child)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var link: SupervisorLink {
    guard let connection else { preconditionFailure("the test lost its daemon") }
    return connection
  }

  var text: String { String(decoding: output, as: UTF8.self) }
  var errorText: String { String(decoding: error, as: UTF8.self) }

  /// Runs to the end, and lets the supervisor go.
  @discardableResult func finish() throws -> ExitRecord {
    try pump { $0.record != nil }
    drain()
    link.send(.release)
    try pump { $0.isGone }
    // One zombie left behind would keep exit tests from seeing their own child's end.
    if let supervisor { Program.reap(supervisor) }
    return try #require(record)
  }

  /// Takes what comes until the test has what it wants; 20 s at most.
  func pump(until isEnough: (TestedCommand) -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while !isEnough(self) {
      let outputs = self.outputs
      let ready = try Readable.wait([link.socket.descriptor.number] + outputs, until: deadline)
      try #require(ContinuousClock.now < deadline, "the command did not do what was waited for")
      if ready[0] { take(link.receive()) }
      drain()
    }
  }

  private var openOutputs: [Bool] = [true, true]

  private var outputs: [Int32] {
    let all: [Int32] =
      switch streams?.outputs {
      case .apart(let output, let error): [output.number, error.number]
      case .terminal(let terminal, _): [terminal.number]
      case nil: []
      }
    return zip(all, openOutputs).map { $1 ? $0 : -1 }
  }

  private func take(_ event: SupervisorLink.Event?) {
    switch event {
    case .started(let streams):
      self.streams = streams
      for descriptor in descriptors(of: streams) { try? descriptor.descriptor.setNonBlocking() }
    case .ended(let record): self.record = record
    case .gone, .otherVersion: isGone = true
    case nil: break
    }
  }

  private func descriptors(of streams: CommandStreams) -> [SharedDescriptor] {
    switch streams.outputs {
    case .apart(let output, let error): [output, error]
    case .terminal(let terminal, _): [terminal]
    }
  }

  private func drain() {
    guard let streams else { return }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    for (index, descriptor) in descriptors(of: streams).enumerated() where openOutputs[index] {
      while let transfer = try? descriptor.descriptor.read(into: &buffer) {
        guard case .bytes(let count) = transfer else {
          if transfer == .end { openOutputs[index] = false }
          break
        }
        if index == 0 { output += buffer[..<count] } else { error += buffer[..<count] }
      }
    }
  }

  func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    let count = try #require(streams?.input).descriptor.write(bytes.span)
    #expect(count == .bytes(bytes.count))
  }

  /// Closes the test's own end of the command's input.
  func dropInput() { streams?.closeInput() }

  /// As a daemon that dies: its connection and its pipes close.
  func loseDaemon() { (connection, streams) = (nil, nil) }

  /// As the daemon that comes after.
  func adopt(key: [UInt8] = TestedCommand.key) throws {
    connection = try SupervisorLink.adopt(key: key, folder: folder)
  }
}

/// The daemon's program, beside the tests.
let builtDaemon: String = {
  let arguments = CommandLine.arguments
  let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] }
  var path = bundle ?? arguments[0]
  while let slash = path.lastIndex(of: "/") {
    path = String(path[..<slash])
    if FileManager.default.isExecutableFile(atPath: path + "/gatehouse-toold") { break }
  }
  return path + "/gatehouse-toold"
}()

func makeTemporaryFolder() throws -> String {
  let path = "/tmp/gatehouse-test-\(UInt64.random(in: 0 ... .max))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  return path
}
