/// Why a model gave no answer. The message names the host or model and the remedy, never the key.
package struct ProviderError: Error, Equatable, CustomStringConvertible {
  package enum Code: Sendable, Equatable {
    /// The plane's own settings are not good.
    case configuration
    /// 401: the key is missing or wrong.
    case unauthorized
    /// 403: the key may not do this.
    case forbidden
    /// 404: no such address or model.
    case notFound
    /// 408, 429, 5xx: not now.
    case unavailable
    /// Another refusal: the request is at fault.
    case refused
    /// No connection, or one that could not be trusted.
    case unreachable
    /// The stream ended before the answer did.
    case cut
    /// An answer without anything in it.
    case empty
    /// Not what the protocol says.
    case garbage
    /// Not a stream of events.
    case wrongContentType
    /// Longer than we take.
    case tooLarge
    /// The provider said so in the middle of a stream.
    case reported
    /// A transcript that does not fit what happened.
    case transcript
  }

  package var code: Code
  package var message: String
  /// Whether the same request may do better later.
  package var isPassing: Bool
  /// What the provider asked us to wait.
  package var retryAfter: Duration?

  package init(
    _ code: Code,
    _ message: String,
    isPassing: Bool = false,
    retryAfter: Duration? = nil
  ) {
    self.code = code
    self.message = message
    self.isPassing = isPassing
    self.retryAfter = retryAfter
  }

  package var description: String { message }
}
