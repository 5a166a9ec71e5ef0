internal import Daemon
internal import EventLoop
internal import LogLines
internal import Sandbox

/// What the command line asks for.
enum Arguments {
  case run(DaemonOptions)
  case help, version
  /// Not for people: see `SupervisorLink.launch`.
  case supervise

  static let usage = """
    usage: gatehouse-toold --state DIR --root DIR --ca FILE [options]

    Links a workspace to its plane and runs the tools that the plane asks for.

      --state DIR              key, certificate and journal; made if need be, for this account only
      --root DIR               the workspace: where files are and commands start
      --own-root DIR           the same, made for it alone: it may lie in what is hidden
      --ca FILE                what the plane's certificate must chain to, in PEM
      --enroll-address H:P     the plane's open listener; needed until enrolled
      --token-file FILE        holds the one-use join token; needed until enrolled
      --plane HOST:PORT        the plane's mutual listener; else as enrollment says
      --pin sha256//BASE64     a public key that must be in the plane's chain; repeat for others
      --hide PATH              a further path that commands must not see; repeat for others
      --max-calls N            calls at once, 1 to 1024; else 128
      --redial-within SECONDS  the most between two attempts to link, 1 to 3600; else 30
      --log-level LEVEL        trace, debug, info, notice, warning, error or critical; else info.
                               SIGUSR1 switches to debug, and back
      --log-format FORMAT      text, json, or auto: text on a terminal, else json
      --help, --version

    SIGTERM ends the daemon and what it runs. SIGHUP starts the program anew from its file, as after an
    upgrade, and the commands go on.

    """

  /// Why a command line makes no sense.
  struct Misuse: Error {
    let message: String
  }

  init(_ words: [String]) throws(Misuse) {
    switch words.first {
    case "supervise": self = .supervise
    case "--help", "-h": self = .help
    case "--version": self = .version
    default: self = .run(try Self.options(words))
    }
  }

  private static func options(_ words: [String]) throws(Misuse) -> DaemonOptions {
    var options = DaemonOptions(state: "", root: "", authoritiesPEM: "")
    var rest = words[...]
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { throw Misuse(message: "\(name) needs a value") }
      try set(name, value, in: &options)
    }
    for (name, value) in [
      ("--state", options.state), ("--root", options.root), ("--ca", options.authoritiesPEM),
    ] where value.isEmpty {
      throw Misuse(message: "\(name) is missing; see --help")
    }
    return options
  }

  private static func set(
    _ name: String,
    _ value: String,
    in options: inout DaemonOptions
  ) throws(Misuse) {
    switch name {
    case "--state": options.state = try makeFolder(value)
    case "--root": (options.root, options.ownsRoot) = (try realPath(value), false)
    case "--own-root": (options.root, options.ownsRoot) = (try realPath(value), true)
    case "--ca": options.authoritiesPEM = try authorities(value)
    case "--enroll-address": options.enrollAddress = try address(value)
    case "--plane": options.plane = try address(value)
    case "--token-file": options.tokenFile = value
    case "--pin": options.pins.append(try pin(value))
    case "--hide": options.hidden.append(try realPath(value))
    case "--max-calls": options.maxCalls = try number(value, name, in: 1...1_024)
    case "--redial-within":
      options.longestWait = .seconds(try number(value, name, in: 1...3_600))
    case "--log-level": options.logLevel = try choice(value, name)
    case "--log-format":
      let format: LogFormat? = value == "auto" ? nil : try choice(value, name)
      options.logFormat = format
    default: throw Misuse(message: "there is no option \(name); see --help")
    }
  }

  private static func makeFolder(_ path: String) throws(Misuse) -> String {
    do {
      _ = try StateFolder(path)
    } catch {
      throw Misuse(message: error.description)
    }
    return try realPath(path)
  }

  private static func realPath(_ path: String) throws(Misuse) -> String {
    guard let real = StateFolder.realPath(path) else {
      throw Misuse(message: "there is no \(path)")
    }
    return real
  }

  private static func read(_ path: String) throws(Misuse) -> String {
    do {
      return try StateFolder.readFile(path, maxBytes: 1 << 20)
    } catch {
      throw Misuse(message: error.description)
    }
  }

  private static func authorities(_ path: String) throws(Misuse) -> String {
    let text = try read(path)
    // Line by line: to look for a text in a text takes the regular expression library, a megabyte.
    let lines = text.split(separator: "\n")
    guard lines.contains(where: { $0.hasPrefix("-----BEGIN CERTIFICATE-----") }) else {
      throw Misuse(
        message: "\(path) holds no certificate in PEM; --ca takes the plane's client/ca.pem"
      )
    }
    return text
  }

  private static func address(_ text: String) throws(Misuse) -> HostPort {
    guard let address = HostPort(text) else {
      throw Misuse(message: "'\(text)' is no HOST:PORT")
    }
    return address
  }

  private static func pin(_ text: String) throws(Misuse) -> String {
    guard text.hasPrefix("sha256//"), text.utf8.count == "sha256//".utf8.count + 44 else {
      throw Misuse(message: "'\(text)' is no pin; one is sha256// and 44 characters of base64")
    }
    return text
  }

  private static func choice<Value: CaseIterable & RawRepresentable>(
    _ text: String,
    _ option: String
  ) throws(Misuse) -> Value where Value.RawValue == String {
    guard let value = Value(rawValue: text) else {
      let all = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw Misuse(message: "\(option) '\(text)' is none of: \(all)")
    }
    return value
  }

  private static func number(
    _ text: String,
    _ option: String,
    in range: ClosedRange<Int>
  ) throws(Misuse) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw Misuse(
        message: "\(option) is a number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }
}
