internal import Testing

@testable internal import Providers

@Suite struct `A secret` {
  @Test(arguments: [
    ("abc", "xabcx", "x***x"), ("abc", "abcabc", "******"), ("abc", "ababc", "ab***"),
    ("abc", "ab", "ab"), ("abc", "", ""), ("", "abc", "abc"), ("aa", "aaa", "**a"),
  ])
  func `is overwritten wherever it is`(secret: String, text: String, masked: String) {
    let bytes = Secret(secret).masked(in: Array(text.utf8))
    #expect(String(decoding: bytes, as: UTF8.self) == masked)
  }
}
