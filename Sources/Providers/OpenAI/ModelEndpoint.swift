/// Where a model is reached, and as whom.
package struct ModelEndpoint: Sendable {
  /// The URL of the chat completions.
  package let url: String
  /// Host and port, for messages.
  package let host: String
  package let model: String
  let key: Secret?

  /// `base` is the API's root, such as `https://api.openai.com/v1`, or the URL of the chat
  /// completions itself.
  ///
  /// - Throws: `configuration`: no URL; or a key that would travel over plain HTTP to another host.
  package init(base: String, model: String, key: Secret?) throws(ProviderError) {
    guard let (scheme, host) = Self.parts(of: base) else {
      throw ProviderError(
        .configuration,
        "GATEHOUSE_MODEL_URL '\(base)' is no URL; give the API's root, "
          + "e.g. https://api.openai.com/v1"
      )
    }
    if scheme == "http" && key != nil && !Self.isLoopback(host) {
      throw ProviderError(
        .configuration,
        "the model key would travel to \(host) in the clear; use an https:// URL, "
          + "or unset OPENAI_API_KEY if the server needs none"
      )
    }
    let trimmed = base.hasSuffix("/") ? String(base.dropLast()) : base
    let path = "/chat/completions"
    url = trimmed.hasSuffix(path) ? trimmed : trimmed + path
    self.host = host
    self.model = model
    self.key = key
  }

  /// `bytes` without the key, as `Secret.masked`.
  package func masked(in bytes: [UInt8]) -> [UInt8] { key?.masked(in: bytes) ?? bytes }

  /// Takes the endpoint out of the process's environment: `GATEHOUSE_MODEL_URL`,
  /// `GATEHOUSE_MODEL` and `OPENAI_API_KEY`, which is wiped. Call it before there are threads.
  ///
  /// - Returns: `nil` when neither a URL nor a key is set.
  /// - Throws: `configuration`.
  package static func takeFromEnvironment() throws(ProviderError) -> ModelEndpoint? {
    let key = EnvironmentSecret.take("OPENAI_API_KEY").map { Secret($0) }
    let url = EnvironmentSecret.read("GATEHOUSE_MODEL_URL")
    guard key != nil || url != nil else { return nil }
    return try ModelEndpoint(
      base: url ?? "https://api.openai.com/v1",
      model: EnvironmentSecret.read("GATEHOUSE_MODEL") ?? "gpt-4.1",
      key: key
    )
  }

  /// The same place, another model.
  package func with(model: String) throws(ProviderError) -> ModelEndpoint {
    try ModelEndpoint(base: url, model: model, key: key)
  }

  /// Scheme and authority without a user part.
  private static func parts(of url: String) -> (scheme: String, host: String)? {
    for scheme in ["https", "http"] where url.hasPrefix(scheme + "://") {
      let authority = url.dropFirst(scheme.count + 3).prefix { !"/?#".contains($0) }
      guard let host = authority.split(separator: "@").last, !host.isEmpty else { return nil }
      return (scheme, String(host))
    }
    return nil
  }

  private static func isLoopback(_ host: String) -> Bool {
    let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
    return name == "localhost" || name == "[::1]" || name.hasPrefix("127.")
  }
}
