internal import Testing

@testable internal import Identity

@Suite struct `Join tokens` {
  private let now: Int64 = 1_800_000_000
  private let token = JoinTokens.makeToken()

  private func refusal(_ tokens: inout JoinTokens, _ token: String, at time: Int64)
    -> JoinTokens.Refusal?
  {
    do {
      _ = try tokens.redeem(token, at: time)
      return nil
    } catch {
      return error
    }
  }

  @Test func `a token makes its bearer once`() throws {
    var tokens = JoinTokens()
    try tokens.add(token, for: .workspace("ws_1"), at: now)
    #expect(try tokens.redeem(token, at: now) == .workspace("ws_1"))
    #expect(refusal(&tokens, token, at: now) == .used)
  }

  @Test func `a look leaves a token as it is, but for too many`() throws {
    var tokens = JoinTokens()
    try tokens.add(token, for: .user("alice"), at: now)
    for _ in 0..<JoinTokens.maxLooks {
      #expect(try tokens.look(token, at: now) == .user("alice"))
    }
    #expect(throws: JoinTokens.Refusal.used) { try tokens.look(token, at: now) }
    #expect(throws: JoinTokens.Refusal.expired) { try tokens.look(token, at: now + 600) }
    #expect(throws: JoinTokens.Refusal.unknown) { try tokens.look("x", at: now) }
  }

  @Test func `a token ends after ten minutes`() throws {
    var tokens = JoinTokens()
    try tokens.add(token, for: .user("alice"), at: now)
    #expect(refusal(&tokens, token, at: now + 600) == .expired)
    try tokens.add(token, for: .user("alice"), at: now)
    #expect(try tokens.redeem(token, at: now + 599) == .user("alice"))
  }

  @Test func `an unknown token is refused`() {
    var tokens = JoinTokens()
    #expect(refusal(&tokens, "", at: now) == .unknown)
    #expect(refusal(&tokens, token, at: now) == .unknown)
  }

  @Test func `tokens differ and say what they are`() {
    #expect(JoinTokens.makeToken() != token)
    #expect(token.hasPrefix("ghj_"))
    #expect(token.utf8.count == 68)
  }

  @Test func `the number out is bounded, and time makes room`() throws {
    var tokens = JoinTokens(limit: 2)
    try tokens.add("a", for: .user("a"), at: now)
    try tokens.add("b", for: .user("b"), at: now + 1)
    #expect(throws: JoinTokens.Refusal.tooMany) {
      try tokens.add("c", for: .user("c"), at: now + 2)
    }
    try tokens.add("c", for: .user("c"), at: now + 600)
    #expect(try tokens.redeem("b", at: now + 600) == .user("b"))
    #expect(try tokens.redeem("c", at: now + 600) == .user("c"))
  }

  @Test func `a revoked bearer's tokens are gone`() throws {
    var tokens = JoinTokens()
    try tokens.add(token, for: .workspace("ws_1"), at: now)
    tokens.revoke(.workspace("ws_1"))
    #expect(refusal(&tokens, token, at: now) == .unknown)
  }

  @Test func `the token itself is not kept`() throws {
    var tokens = JoinTokens()
    try tokens.add(token, for: .user("alice"), at: now)
    #expect(!String(reflecting: tokens).contains(token))
  }
}
