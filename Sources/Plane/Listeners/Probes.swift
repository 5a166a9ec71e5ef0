internal import HTTP1

/// What the admin listener answers.
struct Probes: Sendable {
  let isReady: @Sendable () -> Bool
  /// Why nothing new is started although it is ready; nil: nothing is in the way.
  let refusal: @Sendable () -> String?
  let metrics: @Sendable () -> String

  func answer(_ request: HTTP1Request) -> HTTP1Response {
    guard request.method == "GET" || request.method == "HEAD" else {
      return HTTP1Response(.methodNotAllowed, "use GET\n")
    }
    switch request.path {
    case "/healthz": return HTTP1Response(.ok, "ok\n")
    case "/readyz":
      guard isReady() else { return HTTP1Response(.unavailable, "stopping\n") }
      guard let refusal = refusal() else { return HTTP1Response(.ok, "ready\n") }
      return HTTP1Response(.unavailable, "\(refusal)\n")
    case "/metrics":
      return HTTP1Response(.ok, metrics(), contentType: "text/plain; version=0.0.4; charset=utf-8")
    default:
      return HTTP1Response(.notFound, "there are /healthz, /readyz and /metrics\n")
    }
  }
}
