internal import Testing

@testable internal import gatehouse_bench

@Suite struct `Benchmark report` {
  @Test func `the middle half of seven samples lies between the second and the sixth`() {
    let middle = Quartiles([7, 1, 2, 6, 3, 5, 4])
    #expect(middle.median == 4)
    #expect(middle.lower == 2.5)
    #expect(middle.upper == 5.5)
  }

  @Test func `one sample is its own middle`() {
    let middle = Quartiles([3])
    #expect((middle.lower, middle.median, middle.upper) == (3, 3, 3))
  }

  @Test(arguments: [
    (2.0, "2.00"), (3.144, "3.14"), (99.999, "100.00"), (100.4, "100"), (312_450.2, "312,450"),
    (1_000_007, "1,000,007"),
  ]) func `numbers are rounded and grouped`(value: Double, text: String) {
    #expect(Report.number(value) == text)
  }

  @Test func `columns are as wide as their widest cell`() {
    #expect(Report.align([["a", "bcd", ""], ["efg", "h"]]) == "a    bcd\nefg  h\n")
  }

  @Test func `JSON has stable keys and all samples`() throws {
    var report = Report()
    let setting = Setting(messageBytes: 16, links: 4, callsPerLink: 100, includes: "mTLS")
    let figure = Figure("echo", "gatehouse", .cpuPerCall, setting, [1, 2, 3])
    let missing = Missing(contestant: "haproxy", reason: "not installed")
    report.add(RowResult(figures: [figure], skipped: [Skipped(row: "echo", missing)]))
    let json = try report.json
    for part in [
      #""row" : "echo""#, #""contestant" : "gatehouse""#, #""quantity" : "cpu_us_per_call""#,
      #""median" : 2"#, #""lower_quartile" : 1.5"#, #""upper_quartile" : 2.5"#,
      #""message_bytes" : 16"#, #""links" : 4"#, #""calls_per_link" : 100"#,
      #""reason" : "not installed""#,
    ] { #expect(json.contains(part)) }
  }
}
