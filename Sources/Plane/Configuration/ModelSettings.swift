internal import Host
package import Providers

/// How models are reached, as settings say it; the key itself is taken when the plane starts.
package struct ModelSettings: Sendable {
  /// The API's root. Nil: `GATEHOUSE_MODEL_URL`.
  package var url: String?
  /// The model's name. Nil: `GATEHOUSE_MODEL`.
  package var name: String?
  /// The environment variable that holds the key.
  package var keyVariable = Self.usualVariable
  /// A file with the key and nothing else, for its owner alone.
  package var keyFile: String?
  /// The key itself, from a settings file that is for its owner alone.
  package var key: Secret?
  /// The transcript that the model `script` plays.
  package var script: String?

  package init() {}

  static let usualVariable = "OPENAI_API_KEY"

  /// Takes the keys out of the process's environment, which has none from then on, and reads the
  /// files. Call it before there are threads.
  ///
  /// - Throws: `PlaneError`, or `ProviderError`.
  package func take() throws -> PlaneModels {
    var models = PlaneModels()
    // Both are wiped, also when another one is used.
    let usual = EnvironmentSecret.take(Self.usualVariable)
    let named = keyVariable == Self.usualVariable ? usual : EnvironmentSecret.take(keyVariable)
    let key = try self.key ?? fileKey() ?? named.map { Secret($0) }
    if keyVariable != Self.usualVariable, key == nil {
      throw PlaneError(
        .invalidArgument,
        "model.key_env names \(keyVariable), which is not set; set it where the plane is started"
      )
    }
    let url = url ?? EnvironmentSecret.read("GATEHOUSE_MODEL_URL")
    if key != nil || url != nil {
      models.endpoint = try ModelEndpoint(
        base: url ?? "https://api.openai.com/v1",
        model: name ?? EnvironmentSecret.read("GATEHOUSE_MODEL") ?? "gpt-4.1",
        key: key
      )
    }
    models.transcript = try script.map { path in
      try Transcript(
        parsing: String(decoding: SmallFile(path, atMost: 16 << 20).bytes, as: UTF8.self)
      )
    }
    return models
  }

  /// The key in `keyFile`; nil without one.
  ///
  /// - Throws: `PlaneError`, naming the setting.
  func fileKey() throws -> Secret? {
    guard let keyFile else { return nil }
    let file: SmallFile
    do {
      file = try SmallFile(keyFile, atMost: 64 << 10)
    } catch {
      throw PlaneError(.invalidArgument, "model.key_file: \(error)")
    }
    guard file.isPrivate else {
      throw PlaneError(
        .invalidArgument,
        "model.key_file \(keyFile) can be read by other accounts; run: chmod 600 \(keyFile)"
      )
    }
    let text = String(decoding: file.bytes, as: UTF8.self)
    let lines = text.split(whereSeparator: \.isWhitespace)
    guard lines.count == 1, let key = lines.first else {
      throw PlaneError(
        .invalidArgument,
        "model.key_file \(keyFile) holds not exactly one word, the key"
      )
    }
    return Secret(String(key))
  }
}
