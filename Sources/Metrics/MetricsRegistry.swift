/// Everything that is measured, and who can say it.
///
/// Parts count in plain integers where they work; they are read when somebody asks. So counting
/// needs no lock, and `page` is called where all of them may be read: on the broker's loop.
package struct MetricsRegistry: Sendable {
  package typealias Source = @Sendable (inout MetricsPage) -> Void

  private var sources: [Source] = []

  package init() {}

  package mutating func add(_ source: @escaping Source) { sources.append(source) }

  package var page: MetricsPage {
    var page = MetricsPage()
    for source in sources { source(&page) }
    return page
  }
}
