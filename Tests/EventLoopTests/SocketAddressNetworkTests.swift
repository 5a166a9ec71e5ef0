import Testing

@testable import EventLoop

@Suite struct `An address's network` {
  @Test(arguments: [
    ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("2001:db8:1:2::9", "2001:db8:1:2::/64"), ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
    ("::1", "::/64"),
  ])
  func `is what one host has to choose from`(address: String, network: String) {
    #expect(SocketAddress(numeric: address, port: 80)?.network == network)
  }
}
