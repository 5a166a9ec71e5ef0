internal import EventLoop
internal import FoundationEssentials

/// Load by nghttp2's h2load: a program we did not write.
///
/// h2load 1.52 has no option for a client certificate; a library preloaded into it adds one.
struct H2Load: Sendable {
  private let program: String
  private let environment: [String: String]
  private let workbench: Workbench

  /// - Throws: when there is no h2load, or the library cannot be compiled.
  init(in workbench: Workbench) async throws {
    guard let program = Programs.find("h2load") else {
      throw BenchError("h2load makes the load and is not installed; install nghttp2-client")
    }
    guard let compiler = Programs.find("cc") ?? Programs.find("clang") else {
      throw BenchError("a C compiler is needed to give h2load a client certificate; install gcc")
    }
    let source = "\(workbench.peers)/h2load-identity/identity.c"
    let library = "\(workbench.folder)/h2load-identity.so"
    let errors = try await workbench.output(
      of: [compiler, "-shared", "-fPIC", "-o", library, source, "-lssl"],
      within: .seconds(30)
    )
    guard FileManager.default.fileExists(atPath: library) else {
      throw BenchError("\(source) does not compile; is --peers right?\n\(errors)")
    }
    self.program = program
    self.workbench = workbench
    environment = [
      "LD_PRELOAD": library,
      "H2LOAD_CERTIFICATE": workbench.identities.clientCertificate,
      "H2LOAD_KEY": workbench.identities.clientKey,
    ]
  }

  /// What is asked, how often.
  struct Work: Sendable {
    /// `/package.Service/Method`
    var path: String
    /// A file with the request's messages, prefixes included.
    var requestFile: String
    var links: Int
    var callsPerLink: Int
  }

  /// Sends `requests` requests to a server, and checks that each was answered.
  func run(
    _ work: Work,
    requests: Int,
    to server: HostPort,
    within limit: Duration = .seconds(120)
  ) async throws -> H2LoadReport {
    let links = min(work.links, requests)
    let text = try await workbench.output(
      of: command(work, ["-n", "\(requests)"], links: links, to: server),
      environment: environment,
      within: limit
    )
    guard let report = H2LoadReport(text) else { throw BenchError("h2load failed:\n\(text)") }
    guard report.succeeded == requests, report.failed == 0 else {
      throw BenchError("\(report.failed) of \(requests) requests failed:\n\(text)")
    }
    return report
  }

  /// Starts a steady load that goes on for a minute, or until `end`.
  func start(_ work: Work, perSecond: Int, to server: HostPort) async throws -> ChildProcess {
    let rate = max(1, perSecond / work.links)
    return try await workbench.start(
      command(work, ["-D", "60", "--rps", "\(rate)"], links: work.links, to: server),
      environment: environment
    )
  }

  func end(_ load: ChildProcess) async throws { try await workbench.end(load) }

  private func command(
    _ work: Work,
    _ amount: [String],
    links: Int,
    to server: HostPort
  ) -> [String] {
    [program] + amount + [
      "-c", "\(links)", "-m", "\(work.callsPerLink)", "-t", "1", "-d", work.requestFile,
      "-H", "content-type: application/grpc", "-H", "te: trailers",
      "https://\(server)\(work.path)",
    ]
  }
}
