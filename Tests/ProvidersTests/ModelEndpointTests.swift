import Glibc
import Testing

@testable import Providers

@Suite(.serialized) struct ModelEndpointTests {
  @Test(arguments: [
    "https://api.example.com/v1", "https://api.example.com/v1/",
    "https://api.example.com/v1/chat/completions",
  ])
  func `the API's root and the full address lead to the same place`(base: String) throws {
    let endpoint = try ModelEndpoint(base: base, model: "m", key: nil)
    #expect(endpoint.url == "https://api.example.com/v1/chat/completions")
    #expect(endpoint.host == "api.example.com")
  }

  @Test(arguments: ["api.example.com", "https://", "ftp://x"])
  func `what is no URL is refused`(base: String) {
    #expect(throws: ProviderError.self) { try ModelEndpoint(base: base, model: "m", key: nil) }
  }

  @Test func `a key goes over plain HTTP to this machine only`() throws {
    for base in ["http://127.0.0.1:80", "http://localhost/v1", "http://[::1]:9/v1"] {
      _ = try ModelEndpoint(base: base, model: "m", key: Secret("k"))
    }
    #expect(throws: ProviderError.self) {
      try ModelEndpoint(base: "http://models.example", model: "m", key: Secret("k"))
    }
  }

  @Test func `a key is wiped from the environment when taken`() throws {
    unsafe setenv("GATEHOUSE_TEST_KEY", "marker", 1)
    let place = try unsafe #require(getenv("GATEHOUSE_TEST_KEY"))
    #expect(EnvironmentSecret.take("GATEHOUSE_TEST_KEY") == "marker")
    #expect(unsafe place.pointee == 0)
    #expect(EnvironmentSecret.take("GATEHOUSE_TEST_KEY") == nil)
  }

  @Test func `a secret does not print`() {
    let secret = Secret("marker")
    #expect("\(secret) \(String(reflecting: secret))".contains("marker") == false)
    #expect(secret.redacted(from: "a marker b") == "a [secret] b")
  }
}
