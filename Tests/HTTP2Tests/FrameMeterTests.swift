import Testing

@testable import HTTP2

@Suite struct `Frame meter` {
  @Test(arguments: 1...40)
  func `frames are counted wherever the bytes are cut`(step: Int) {
    let bytes =
      [UInt8](repeating: 1, count: 24) + frame(0x4, payload: 6) + frame(0x6, payload: 8)
      + frame(0x1, flags: 4, payload: 30) + frame(0x0, payload: 100) + frame(0x0)
      + frame(0x3, payload: 4) + frame(0xfa, payload: 50)
    var meter = FrameMeter(skipping: FrameMeter.prefaceBytes)
    for start in stride(from: 0, to: bytes.count, by: step) {
      meter.count(Array(bytes[start..<min(start + step, bytes.count)]).span)
    }
    var expected = PeerUsage()
    expected.work = 10 + 1 + 1 + 1  // SETTINGS, PING, empty DATA, the unknown frame
    expected.resets = 1
    expected.blocks = 1
    #expect(meter.take() == expected)
    #expect(meter.take() == PeerUsage())
  }

  @Test func `what ends a stream, or acknowledges, costs no more than it must`() {
    var meter = FrameMeter(skipping: 0)
    meter.count((frame(0x0, flags: 1) + frame(0x4, flags: 1)).span)
    #expect(meter.take().work == 1)
  }

  @Test func `a header block lasts until the last byte of the frame that ends it`() {
    var meter = FrameMeter(skipping: 0)
    meter.count(frame(0x1, payload: 20).span)
    #expect(meter.take().headerBlock == .init(number: 1, bytes: 20))
    meter.count(frame(0x9, payload: 5).span)
    #expect(meter.take().headerBlock == .init(number: 1, bytes: 25))
    let last = frame(0x9, flags: 4, payload: 7)
    meter.count(Array(last.dropLast()).span)
    #expect(meter.take().headerBlock == .init(number: 1, bytes: 32))
    meter.count([0].span)
    #expect(meter.take().headerBlock == nil)
    meter.count(frame(0x1, payload: 1).span)
    #expect(meter.take().headerBlock == .init(number: 2, bytes: 1))
  }

  @Test func `an empty frame ends a block, too`() {
    var meter = FrameMeter(skipping: 0)
    meter.count((frame(0x1, payload: 3) + frame(0x9, flags: 4)).span)
    #expect(meter.take().headerBlock == nil)
  }

  @Test(arguments: [0x0, 0x1] as [UInt8])
  func `HEADERS and DATA are strays on streams that the peer ended or reset`(type: UInt8) {
    var meter = FrameMeter(skipping: 0)
    meter.count(frame(type, stream: 5).span) { $0 == 3 }
    #expect(!meter.hasStray)
    meter.count((frame(0x3, payload: 4, stream: 5) + frame(0x8, payload: 4, stream: 5)).span) {
      $0 == 3
    }
    #expect(!meter.hasStray)
    var other = meter
    meter.count(frame(type, stream: 5).span) { $0 == 3 }
    #expect(meter.hasStray)
    other.count(frame(type, stream: 3).span) { $0 == 3 }
    #expect(other.hasStray)
  }

  private func frame(
    _ type: UInt8,
    flags: UInt8 = 0,
    payload: Int = 0,
    stream: UInt8 = 1
  ) -> [UInt8] {
    [0, UInt8(payload >> 8), UInt8(payload & 255), type, flags, 0, 0, 0, stream]
      + [UInt8](repeating: 0, count: payload)
  }
}
