extension ModelEndpoint {
  /// An answer that can't be used; `what` goes on after the host's name.
  func failure(
    _ code: ProviderError.Code,
    _ what: String,
    isPassing: Bool = false
  ) -> ProviderError {
    let check = "check that GATEHOUSE_MODEL_URL names an OpenAI-compatible API"
    let remedy = isPassing ? "try again later" : check
    return ProviderError(code, "\(host) \(redacted(what)); \(remedy)", isPassing: isPassing)
  }

  /// A transfer that failed.
  func failure(_ error: HTTPError) -> ProviderError {
    let reason = redacted(error.reason)
    switch error.code {
    case .invalidURL:
      return ProviderError(.configuration, "GATEHOUSE_MODEL_URL '\(url)' is no URL: \(reason)")
    case .unresolved, .other, .closed:
      return ProviderError(
        .unreachable,
        "\(host) can't be reached: \(reason); check GATEHOUSE_MODEL_URL and proxies"
      )
    case .unreachable:
      return ProviderError(
        .unreachable,
        "\(host) can't be reached: \(reason); check GATEHOUSE_MODEL_URL and proxies",
        isPassing: true
      )
    case .untrusted:
      return ProviderError(
        .unreachable,
        "\(host) could not prove who it is: \(reason); "
          + "add its issuer to this machine's certificate authorities"
      )
    case .idle: return failure(.cut, "sent nothing for too long", isPassing: true)
    case .notHTTP: return failure(.garbage, "does not answer in HTTP: \(reason)")
    case .cut: return failure(.cut, "cut its answer off: \(reason)", isPassing: true)
    }
  }

  /// A status other than 200.
  func refusal(_ head: HTTPHead, body: String) -> ProviderError {
    switch head.status {
    case 401:
      return ProviderError(
        .unauthorized,
        "\(host) refused the model key (401); set OPENAI_API_KEY to a valid one"
      )
    case 403:
      return ProviderError(
        .forbidden,
        "\(host) says this key may not use model '\(model)' (403); "
          + "ask its owner for access or set GATEHOUSE_MODEL"
      )
    case 404:
      return ProviderError(
        .notFound,
        "\(host) knows no model '\(model)', or no chat completions at that address (404); "
          + "check GATEHOUSE_MODEL and GATEHOUSE_MODEL_URL"
      )
    case 408, 429, 500...599:
      return ProviderError(
        .unavailable,
        "\(host) answered \(head.status)\(detail(body)); try again later",
        isPassing: true,
        retryAfter: head.retryAfter
      )
    default:
      return ProviderError(
        .refused,
        "\(host) refused the request for model '\(model)' (\(head.status))\(detail(body))"
      )
    }
  }

  /// An `error` object in the middle of a stream.
  func reported(_ error: JSON) -> ProviderError {
    let message = error["message"]?.string ?? error.string ?? "no reason"
    let code = error["code"]?.integer ?? error["status"]?.integer ?? 0
    return ProviderError(
      .reported,
      "\(host) gave up on its answer: \(redacted(String(message.prefix(300))))",
      isPassing: code == 408 || code == 429 || code >= 500
    )
  }

  /// What the provider said about it, short.
  private func detail(_ body: String) -> String {
    let json = try? JSON(parsing: body)
    let message =
      json?["error"]?["message"]?.string ?? json?["error"]?.string
      ?? json?["message"]?.string
    guard let message = message, !message.isEmpty else { return "" }
    let line = message.prefix(300).map { $0.isNewline ? " " : String($0) }.joined()
    return ": " + redacted(line)
  }

  private func redacted(_ text: String) -> String { key?.redacted(from: text) ?? text }
}

extension HTTPHead {
  /// `retry-after-ms`, else `Retry-After` in seconds (RFC 9110 §10.2.3). A date is passed over: our
  /// own back-off does as well.
  var retryAfter: Duration? {
    if let text = value(of: "retry-after-ms"), let count = Int(text), count >= 0 {
      return .milliseconds(count)
    }
    guard let text = value(of: "retry-after"), let count = Int(text), count >= 0 else { return nil }
    return .seconds(count)
  }
}
