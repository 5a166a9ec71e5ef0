/// A model behind the chat completions API, as OpenAI and many others speak it, streamed.
package struct OpenAIModel: Model {
  private let endpoint: ModelEndpoint
  private let client: HTTPClient

  package init(_ endpoint: ModelEndpoint, client: HTTPClient) {
    self.endpoint = endpoint
    self.client = client
  }

  package var name: String { endpoint.model }

  package func answer(
    _ request: ModelRequest,
    deliver: @Sendable (ModelEvent) async -> Void
  ) async throws -> ModelAnswer {
    let names = OpenAIToolNames(request.tools)
    do {
      return try await client.send(httpRequest(request, names)) { head, body in
        try await check(head, body)
        return try await read(body, names: names, deliver: deliver)
      }
    } catch let error as HTTPError {
      throw endpoint.failure(error)
    }
  }

  private func httpRequest(_ request: ModelRequest, _ names: OpenAIToolNames) -> HTTPRequest {
    let body = OpenAIRequest(request, model: endpoint.model, names: names).json
    var http = HTTPRequest(method: "POST", url: endpoint.url, body: Array(body.text.utf8))
    http.headers = [
      HTTPHeader("Content-Type", "application/json"), HTTPHeader("Accept", "text/event-stream"),
      HTTPHeader("User-Agent", "gatehouse"),
    ]
    if let key = endpoint.key {
      http.headers.append(HTTPHeader("Authorization", "Bearer \(key.revealed)"))
    }
    return http
  }

  private func check(_ head: HTTPHead, _ body: HTTPBody) async throws {
    guard head.status == 200 else {
      let text = String(decoding: try await body.collect(limit: 64 * 1024), as: UTF8.self)
      throw endpoint.refusal(head, body: text)
    }
    let type = head.value(of: "content-type") ?? "nothing"
    guard type.lowercased().hasPrefix("text/event-stream") else {
      throw endpoint.failure(.wrongContentType, "answered with \(type), not a stream of events")
    }
  }

  private func read(
    _ body: HTTPBody,
    names: OpenAIToolNames,
    deliver: @Sendable (ModelEvent) async -> Void
  ) async throws -> ModelAnswer {
    var events = ServerSentEvents()
    var answer = OpenAIAnswer(endpoint: endpoint)
    while !answer.isComplete, let bytes = try await body.next() {
      for event in try receive(bytes, &events) {
        let text = try answer.receive(event.data)
        if !text.isEmpty { await deliver(.text(text)) }
      }
    }
    return try answer.finish(cutEvent: !events.isBetweenEvents, names: names)
  }

  private func receive(
    _ bytes: [UInt8],
    _ events: inout ServerSentEvents
  ) throws(ProviderError) -> [ServerSentEvent] {
    do throws(ServerSentEvents.TooLong) {
      return try events.receive(bytes)
    } catch {
      throw endpoint.failure(.tooLarge, "sent an event above \(error.maxBytes) bytes")
    }
  }
}
