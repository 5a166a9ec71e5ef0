internal import HTTP2

/// What a request that is not gRPC gets: plain HTTP with a line of text (gRPC over HTTP/2,
/// "Requests"; RFC 9110 §15.5).
struct HTTPAnswer {
  let status: String
  let text: String
  var allow: String?
  /// HEAD asks for the header fields alone.
  let hasBody: Bool

  /// `isMethod`: the path is one of ours.
  init(to request: IncomingFields, isMethod: Bool) {
    hasBody = !request.isHead
    if request.isPost {
      status = "415"
      text = "this is a gRPC server; send content-type application/grpc\n"
    } else if isMethod {
      status = "405"
      text = "this is a gRPC method; send POST\n"
      allow = "POST"
    } else {
      status = "404"
      text = "nothing is served here; this is a gRPC server\n"
    }
  }

  /// Its header fields are too many (RFC 6585 §5).
  init(refusingHeadOf request: IncomingFields) {
    hasBody = !request.isHead
    status = "431"
    text = "too many header fields; send fewer, or shorter ones\n"
  }

  var block: HeaderBlock {
    var block = HeaderBlock()
    block.append(":status", status)
    block.append("content-type", "text/plain; charset=utf-8")
    block.append("content-length", String(text.utf8.count))
    if let allow { block.append("allow", allow) }
    return block
  }
}

extension Connection {
  func answer(_ answer: HTTPAnswer, on state: StreamState) {
    state.ending = .halfClose
    state.sentHeaders = true
    if answer.hasBody { table.enqueueBody(Array(answer.text.utf8), on: state) }
    // Fails only for a stream that is gone.
    try? session.respond(on: state.id, answer.block, hasBody: answer.hasBody)
    scheduleFlush()
  }
}

extension IncomingFields {
  /// What an answer means that is not gRPC's: a proxy's, or another kind of server's
  /// (grpc/doc/http-grpc-status-mapping.md). `nil` for gRPC.
  var foreignAnswer: RPCStatus? {
    guard let httpStatus else { return nil }
    if httpStatus != 200 { return .forHTTP(httpStatus) }
    return isGRPC ? nil : RPCStatus(.unknown, "the server answered HTTP 200 without gRPC")
  }
}
