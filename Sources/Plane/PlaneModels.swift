package import Providers

/// The models that chats can use.
package struct PlaneModels: Sendable {
  /// Where models are reached; nil: nowhere.
  package var endpoint: ModelEndpoint?
  /// What the model `script` plays; for demos and tests. The default where there is no endpoint.
  package var transcript: Transcript?

  package init() {}

  /// The endpoint of the process's environment, whose key is taken out of it. Call it before there
  /// are threads.
  package static func takeFromEnvironment() throws(ProviderError) -> PlaneModels {
    var models = PlaneModels()
    models.endpoint = try ModelEndpoint.takeFromEnvironment()
    return models
  }

  /// The model of this name; for the empty one the default.
  func model(_ name: String, client: ModelClient) throws(PlaneError) -> any Model {
    if let transcript, name == "script" || (name.isEmpty && endpoint == nil) {
      return ScriptModel(transcript)
    }
    guard let endpoint else {
      throw PlaneError(
        .failedPrecondition,
        "no model is configured; set GATEHOUSE_MODEL_URL or OPENAI_API_KEY where the plane starts"
      )
    }
    do {
      let chosen = name.isEmpty ? endpoint : try endpoint.with(model: name)
      return Retrying(OpenAIModel(chosen, client: try client.http()))
    } catch {
      throw PlaneError(.failedPrecondition, "\(error)")
    }
  }
}
