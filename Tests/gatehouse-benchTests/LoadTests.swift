internal import Testing

@testable internal import gatehouse_bench

@Suite struct `Benchmark load` {
  /// As h2load 1.52 prints it.
  private static let output = """
    starting benchmark...
    Application protocol: h2
    progress: 100% done

    finished in 2.05s, 243902.44 req/s, 11.86MB/s
    requests: 500000 total, 500000 started, 500000 done, 499998 succeeded, 2 failed, 1 errored, \
    0 timeout
    status codes: 499998 2xx, 0 3xx, 0 4xx, 0 5xx
    traffic: 24.32MB (25500832) total, 3.34MB (3500160) headers (space savings 96.49%), \
    10.01MB (10500000) data
                         min         max         mean         sd        +/- sd
    time for request:      184us     21.50ms      1.63ms       689us    88.14%

    """

  @Test func `h2load's report is read`() throws {
    let report = try #require(H2LoadReport(Self.output))
    #expect(report.requestsPerSecond == 243_902.44)
    #expect(report.succeeded == 499_998)
    #expect(report.failed == 2)
    #expect(report.dataBytes == 10_500_000)
  }

  @Test func `a report that is cut is no report`() throws {
    var text = try #require(Self.output.through(" data"))
    while text.popLast() != nil { #expect(H2LoadReport(text) == nil) }
  }

  @Test func `a request file is a message with gRPC's prefix`() {
    #expect(RequestFile.holding([7, 8]) == [0, 0, 0, 0, 2, 7, 8])
    #expect(RequestFile.holding([UInt8](repeating: 0, count: 66_051)).prefix(5) == [0, 0, 1, 2, 3])
  }

  @Test func `processor time is read past a name with brackets`() {
    let line = "7 (a) b) 9) S 1 7 7 0 -1 4194560 1 2 3 4 120 30 0 0 20 0 1 0 5 6 7\n"
    #expect(CPUTime.ticks(inStat: line) == 150)
    #expect(CPUTime.ticks(inStat: "7 (a") == nil)
  }

  @Test func `contestants take turns, every other round in reverse`() async throws {
    var order = ""
    try await Rounds.alternate(["a", "b"], rounds: 3) { order += $0 }
    #expect(order == "abbaab")
  }
}

extension String {
  /// Up to and including the first `word`.
  fileprivate func through(_ word: String) -> String? {
    indices.first { self[$0...].hasPrefix(word) }.map { self[..<$0] + word }
  }
}

@Suite struct `Benchmark bytes` {
  @Test func `the pattern goes on over chunks`() {
    let whole = (0..<200_000).map { UInt8($0 % 251) }
    for offset in [0, 1, 250, 251, 65_535, 65_536, 130_000] {
      #expect(
        BytePattern.bytes(from: offset, count: 65_536).elementsEqual(
          whole[offset...].prefix(65_536)
        )
      )
      #expect(BytePattern.matches(whole[offset...].prefix(1_000), from: offset))
      #expect(!BytePattern.matches(whole[offset...].prefix(1_000), from: offset + 1))
    }
  }
}
