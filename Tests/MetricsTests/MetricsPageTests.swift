import Metrics
import Testing

@Suite struct `A page of metrics` {
  @Test func `has help and type once for each name, and its samples together`() {
    var page = MetricsPage()
    page.gauge("gatehouse_connections", "Open connections.", 2, ["listener": "mutual"])
    page.counter("gatehouse_calls_total", "Calls.", 7)
    page.gauge("gatehouse_connections", "Open connections.", 0, ["listener": "open"])
    #expect(
      page.text == """
        # HELP gatehouse_connections Open connections.
        # TYPE gatehouse_connections gauge
        gatehouse_connections{listener="mutual"} 2
        gatehouse_connections{listener="open"} 0
        # HELP gatehouse_calls_total Calls.
        # TYPE gatehouse_calls_total counter
        gatehouse_calls_total 7

        """
    )
  }

  @Test func `escapes labels and help`() {
    var page = MetricsPage()
    page.counter("a_total", "One\\two\n\"three\".", 1, ["x": "q\"b\\l\nü", "y": ""])
    #expect(
      page.text == """
        # HELP a_total One\\\\two\\n"three".
        # TYPE a_total counter
        a_total{x="q\\"b\\\\l\\nü",y=""} 1

        """
    )
  }

  @Test func `shows a histogram with rising counts up to infinity`() {
    var durations = DurationHistogram(smallest: .milliseconds(1), bounds: 3)
    for milliseconds in [0, 1, 2, 3, 4, 5, 1_000] { durations.observe(.milliseconds(milliseconds)) }
    var page = MetricsPage()
    page.histogram("t_seconds", "Time.", durations)
    #expect(
      page.text == """
        # HELP t_seconds Time.
        # TYPE t_seconds histogram
        t_seconds_bucket{le="0.001"} 2
        t_seconds_bucket{le="0.002"} 3
        t_seconds_bucket{le="0.004"} 5
        t_seconds_bucket{le="+Inf"} 7
        t_seconds_sum 1.015
        t_seconds_count 7

        """
    )
  }

  @Test(arguments: [
    (Duration.zero, 0), (.nanoseconds(1_000), 0), (.nanoseconds(1_001), 1),
    (.nanoseconds(2_000), 1), (.nanoseconds(2_001), 2), (.seconds(-3), 0), (.seconds(1 << 40), 4),
  ])
  func `puts a time into the bucket of the next bound`(time: Duration, bucket: Int) {
    var durations = DurationHistogram(smallest: .microseconds(1), bounds: 4)
    durations.observe(time)
    #expect(durations.counts[bucket] == 1)
    #expect(durations.count == 1)
  }

  @Test func `is made by all who were added, in their order`() {
    var registry = MetricsRegistry()
    registry.add { $0.counter("a_total", "A.", 1) }
    registry.add { $0.counter("b_total", "B.", 2) }
    #expect(
      registry.page.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        == ["a_total 1", "b_total 2"]
    )
  }
}
