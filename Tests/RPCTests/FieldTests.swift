import HTTP2
import Testing

@testable import RPC

@Suite struct `Header fields` {
  @Test(arguments: [
    ("1H", Duration.seconds(3_600)), ("2M", .seconds(120)), ("3S", .seconds(3)),
    ("4m", .milliseconds(4)), ("5u", .microseconds(5)), ("6n", .nanoseconds(6)),
    ("99999999S", .seconds(99_999_999)),
  ])
  func `a timeout is read in each unit`(text: String, expected: Duration) {
    #expect(Timeout.parse(Array(text.utf8)) == expected)
  }

  @Test(arguments: ["", "S", "1", "1x", "-1S", "123456789S", "1 S"])
  func `a malformed timeout is refused`(text: String) {
    #expect(Timeout.parse(Array(text.utf8)) == nil)
  }

  @Test(arguments: [
    Duration.nanoseconds(1), .microseconds(1_500), .milliseconds(250), .seconds(30),
    .seconds(86_400), .seconds(400_000_000),
  ])
  func `a timeout written is never shorter than asked`(timeout: Duration) throws {
    let text = Timeout.format(timeout)
    #expect(text.utf8.count <= 9)
    #expect(try #require(Timeout.parse(Array(text.utf8))) >= timeout)
  }

  @Test(arguments: ["plain", "100%", "tab\tand\r\n", "naïve 😈", ""])
  func `a status message survives percent-encoding`(text: String) {
    let encoded = PercentEncoding.encode(text)
    #expect(encoded.utf8.allSatisfy { (0x20...0x7e).contains($0) })
    #expect(PercentEncoding.decode(Array(encoded.utf8)) == text)
  }

  @Test func `broken escapes stand for themselves`() {
    #expect(PercentEncoding.encode("ab☺c", atMost: 11) == "ab%E2%98%BA")
    #expect(PercentEncoding.encode("ab☺c", atMost: 10) == "ab")
    #expect(PercentEncoding.decode(Array("50% off %zz %4".utf8)) == "50% off %zz %4")
  }

  @Test func `binary metadata may be padded, repeated or joined by commas`() {
    var metadata = Metadata()
    _ = metadata.addField(name: "a-bin", value: Array("AQI,Aw==".utf8))
    #expect(metadata.bytes("a-bin") == [1, 2])
    var block = HeaderBlock()
    metadata.append(to: &block)
    var other = Metadata()
    _ = other.addField(name: "a-bin", value: Array("AQI".utf8))
    _ = other.addField(name: "a-bin", value: Array("Aw".utf8))
    #expect(metadata == other)
  }

  @Test func `reserved names do not become metadata`() {
    var metadata = Metadata()
    _ = metadata.addField(name: "grpc-status", value: [])
    _ = metadata.addField(name: ":path", value: [])
    #expect(metadata.isEmpty)
  }

  @Test func `codes have gRPC's names`() {
    #expect(RPCStatus.Code.deadlineExceeded.name == "DEADLINE_EXCEEDED")
    #expect(RPCStatus.Code.internalError.name == "INTERNAL")
    #expect(RPCStatus.Code.ok.name == "OK")
  }
}
