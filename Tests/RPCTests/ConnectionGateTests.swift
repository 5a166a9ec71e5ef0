internal import Testing

@testable internal import RPC

@Suite struct `Connection gate` {
  private final class Place {}

  @Test func `connections are bounded in all and by address`() {
    var limits = ListenerLimits()
    (limits.maxConnections, limits.maxConnectionsPerAddress) = (3, 2)
    var gate = ConnectionGate(limits)
    let places = (0..<3).map { _ in Place() }
    _ = gate.add(ObjectIdentifier(places[0]), from: "a")
    _ = gate.add(ObjectIdentifier(places[1]), from: "a")
    #expect(gate.refuses("a") == .connectionsOfAddress)
    #expect(gate.refuses("b") == nil)
    _ = gate.add(ObjectIdentifier(places[2]), from: "b")
    #expect(gate.refuses("c") == .connections)
    gate.remove(ObjectIdentifier(places[0]), from: "a")
    #expect(gate.refuses("a") == nil)
  }

  @Test func `connections are bounded by principal`() {
    var limits = ListenerLimits()
    limits.maxConnectionsPerPrincipal = 2
    var gate = ConnectionGate(limits)
    let places = (0..<4).map { _ in Place() }
    let ids = places.map { ObjectIdentifier($0) }
    for id in ids { _ = gate.add(id, from: "a") }
    var taken = [(0, "ann"), (1, "ann"), (2, "ann"), (3, "ben")].map {
      gate.take(ids[$0.0], of: $0.1)
    }
    #expect(taken == [true, true, false, true])
    // The one too many is not counted, so its end changes nothing.
    gate.remove(ids[2], from: "a")
    taken = [gate.take(ids[2], of: "ann")]
    gate.remove(ids[0], from: "a")
    taken.append(gate.take(ids[2], of: "ann"))
    #expect(taken == [false, true])
  }

  @Test func `of handshakes the oldest is given up`() {
    var limits = ListenerLimits()
    limits.maxHandshakes = 2
    var gate = ConnectionGate(limits)
    let places = (0..<5).map { _ in Place() }
    let ids = places.map { ObjectIdentifier($0) }
    #expect(gate.add(ids[0], from: "a") == nil)
    #expect(gate.add(ids[1], from: "a") == nil)
    gate.handshakeEnded(ids[0])
    #expect(gate.add(ids[2], from: "a") == nil)
    #expect(gate.add(ids[3], from: "a") == ids[1])
    gate.remove(ids[1], from: "a")
    #expect(gate.add(ids[4], from: "a") == ids[2])
  }

  @Test func `where the oldest gives way, one more is taken, and each goes once`() {
    var limits = ListenerLimits()
    (limits.maxConnections, limits.maxHandshakes, limits.givesUpOldest) = (2, 2, true)
    var gate = ConnectionGate(limits)
    let places = (0..<5).map { _ in Place() }
    let ids = places.map { ObjectIdentifier($0) }
    for id in ids[..<2] {
      _ = gate.add(id, from: "a")
      #expect(gate.takeOldest() == nil)
    }
    for index in 2..<4 {
      #expect(gate.refuses("b") == nil)
      _ = gate.add(ids[index], from: "b")
      #expect(gate.takeOldest() == ids[index - 2])
      #expect(gate.takeOldest() == nil)
    }
    // Two have not gone yet, and there may be so many more.
    #expect(gate.refuses("b") == .connections)
    gate.remove(ids[0], from: "a")
    #expect(gate.refuses("b") == nil)
    _ = gate.add(ids[4], from: "b")
    #expect(gate.takeOldest() == ids[2])
  }

  @Test func `many that come and go leave nothing behind`() {
    var limits = ListenerLimits()
    limits.maxHandshakes = 2
    var gate = ConnectionGate(limits)
    let places = (0..<1_000).map { _ in Place() }
    for place in places {
      #expect(gate.add(ObjectIdentifier(place), from: "a") == nil)
      gate.handshakeEnded(ObjectIdentifier(place))
    }
    #expect(gate.handshakeSlots <= 64)
    for place in places { gate.remove(ObjectIdentifier(place), from: "a") }
    #expect(gate.refuses("a") == nil)
  }
}
