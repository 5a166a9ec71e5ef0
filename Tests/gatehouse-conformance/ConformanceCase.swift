/// One thing that a daemon has to do.
struct ConformanceCase: Sendable {
  let name: String
  /// For whoever has to mend it.
  let asks: String
  let run: @Sendable (Kit) async throws -> Void

  /// In an order in which what fails first says most.
  static var all: [ConformanceCase] { linkCases + callCases + flowCases + cutCases }
}
