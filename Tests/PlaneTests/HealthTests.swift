internal import EventLoop
internal import RPC
internal import SwiftProtobuf
internal import Testing

@testable internal import Plane

@Suite(.timeLimit(.minutes(5))) struct `Health that is watched` {
  private func watch(_ service: String, _ connection: Connection) async throws -> ClientStream {
    let stream = try await connection.openStream("/grpc.health.v1.Health/Watch")
    try await stream.send(Google_Protobuf_StringValue(service).serializedBytes())
    await stream.halfClose()
    return stream
  }

  private func next(_ stream: ClientStream) async throws -> Int32 {
    let bytes = try #require(try await stream.next())
    return try Google_Protobuf_Int32Value(serializedBytes: bytes).value
  }

  @Test func `a name that no service has is not kept, and its watcher stays`() async throws {
    let test = try await TestPlane()
    let connection = try await test.open()
    let stream = try await watch(String(repeating: "x", count: 60_000), connection)
    #expect(try await next(stream) == 3)
    let loop = test.plane.listeners.bound.mutual.loop
    await test.plane.parts.health.set(.notServing, for: nil, on: loop)
    let other = try await watch("", connection)
    #expect(try await next(other) == 2)
    await stream.cancel()
    let end = await #expect(throws: RPCStatus.self) { try await stream.next() }
    #expect(end?.code == .cancelled)
    await test.stop()
  }

  @Test func `each watcher hears the changes of its service, and no others`() async throws {
    let test = try await TestPlane()
    let connection = try await test.open()
    let (health, loop) = (test.plane.parts.health, test.plane.listeners.bound.mutual.loop)
    let tools = try await watch("gatehouse.tools.v1.Tools", connection)
    let plane = try await watch("", connection)
    let unknown = try await watch("no.Such", connection)
    #expect(try await next(tools) == 1)
    #expect(try await next(plane) == 1)
    #expect(try await next(unknown) == 3)

    await health.set(.notServing, for: "gatehouse.tools.v1.Tools", on: loop)
    await health.set(.notServing, for: "gatehouse.tools.v1.Tools", on: loop)  // no change
    await health.set(.serving, for: "gatehouse.tools.v1.Tools", on: loop)
    #expect(try await next(tools) == 2)
    #expect(try await next(tools) == 1)
    await health.set(.notServing, for: nil, on: loop)
    #expect(try await next(tools) == 2)
    #expect(try await next(plane) == 2)
    await unknown.cancel()
    await test.stop()
  }
}
