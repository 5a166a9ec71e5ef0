package import Providers

/// The models that chats can use.
package struct PlaneModels: Sendable {
  /// Where models are reached; nil: nowhere.
  package var endpoint: ModelEndpoint?
  /// What the model `script` plays; for demos and tests. The default where there is no endpoint.
  package var transcript: Transcript?

  package init() {}

  /// `bytes` without the key, as `Secret.masked`.
  func masked(in bytes: [UInt8]) -> [UInt8] { endpoint?.masked(in: bytes) ?? bytes }

  /// The model of this name; for the empty one the default.
  func model(
    _ name: String,
    client: ModelClient,
    counters: PlaneCounters
  ) throws(PlaneError) -> any Model {
    if let transcript, name == "script" || (name.isEmpty && endpoint == nil) {
      return ScriptModel(transcript)
    }
    guard let endpoint else {
      throw PlaneError(
        .failedPrecondition,
        "no model is configured; set GATEHOUSE_MODEL_URL or OPENAI_API_KEY where the plane starts, "
          + "or model.url in its settings"
      )
    }
    do {
      let chosen = name.isEmpty ? endpoint : try endpoint.with(model: name)
      let model = OpenAIModel(chosen, client: try client.http())
      return Retrying(CountedModel(base: model, counters: counters))
    } catch {
      throw PlaneError(.failedPrecondition, "\(error)")
    }
  }
}
