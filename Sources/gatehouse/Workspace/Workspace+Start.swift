internal import Wire

extension Gatehouse_Plane_V1_Workspace {
  /// What its owner does to have it linked.
  var howToStart: String {
    switch (state, local) {
    case (.stopped, _): "it is stopped; start it: gatehouse workspace start \(name)"
    case (_, true): "its daemon is not linked; start it: gatehouse workspace start \(name)"
    case (.pending, false):
      "it runs elsewhere, and nobody linked it yet; start gatehouse-toold there, with its join token "
        + "(a new one: gatehouse workspace token \(name))"
    default: "it runs elsewhere; start gatehouse-toold there, or see what it logs"
    }
  }
}
