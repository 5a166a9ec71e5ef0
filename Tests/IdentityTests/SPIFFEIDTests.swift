internal import Testing

@testable internal import Identity

@Suite struct `SPIFFE ids` {
  @Test(arguments: [
    "spiffe://gatehouse.local/workspace/ws_0abc", "spiffe://a/user/Alice.B-c_d",
    "spiffe://example.org/service/ci", "spiffe://x1/plane/0",
  ])
  func `a good id reads back as it was written`(text: String) throws {
    #expect(try #require(SPIFFEID(text)).description == text)
  }

  @Test(arguments: [
    "", "spiffe://", "spiffe://a", "spiffe://a/user", "spiffe://a/user/", "spiffe://a/user/b/c",
    "spiffe://a/user/b/", "spiffe:///user/b", "spiffe://a//b", "spiffe://A/user/b",
    "SPIFFE://a/user/b", "spiffe://a:443/user/b", "spiffe://u@a/user/b", "spiffe://a/user/b?q",
    "spiffe://a/user/b#f", "spiffe://a/user/b%2f", "spiffe://a/user/..", "spiffe://a/user/.",
    "spiffe://a/admin/b", "spiffe://a/User/b", "spiffe://a/user/b\0", "spiffe://a/user/é",
    "https://a/user/b", " spiffe://a/user/b",
  ])
  func `anything else is refused`(text: String) {
    #expect(SPIFFEID(text) == nil)
  }

  @Test func `a name has at most 64 bytes`() {
    #expect(SPIFFEID("spiffe://a/user/" + String(repeating: "b", count: 64)) != nil)
    #expect(SPIFFEID("spiffe://a/user/" + String(repeating: "b", count: 65)) == nil)
  }

  @Test(arguments: ["spiffe://b/user/c", "spiffe://a/service/c", "spiffe://a/user/d"])
  func `two are one when all their parts are`(other: String) throws {
    let id = try #require(SPIFFEID("spiffe://a/user/c"))
    let domain = try #require(TrustDomain("a"))
    #expect(id == SPIFFEID(domain, .user, "c"))
    #expect(id != SPIFFEID(other))
  }
}
