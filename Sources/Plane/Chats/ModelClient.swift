internal import Providers
internal import Synchronization

/// The HTTP client for models, with its thread, made when the first chat needs it.
final class ModelClient: Sendable {
  private let client = Mutex<HTTPClient?>(nil)

  func http() throws -> HTTPClient {
    try client.withLock { client in
      if let client { return client }
      let made = try HTTPClient()
      client = made
      return made
    }
  }
}
