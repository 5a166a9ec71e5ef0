/// Paths of the plane's methods.
enum PlaneMethods {
  static let invoke = "/gatehouse.tools.v1.Tools/Invoke"
  static let connect = "/gatehouse.link.v1.Link/Connect"
  static let carry = "/gatehouse.link.v1.Link/Carry"
}
