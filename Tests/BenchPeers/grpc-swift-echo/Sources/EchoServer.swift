import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Foundation
import NIOPosix

/// A unary echo server on grpc-swift 2 for `gatehouse-bench`: mutual TLS, one event loop, messages as
/// bytes without protobuf. Prints its port when it listens; runs until it is killed.
///
/// Arguments: /package.Service/Method, then PEM files: certificate, its key, what clients chain to.
@main struct EchoServer {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5 else {
      fatalError("usage: grpc-swift-echo METHOD CERTIFICATE KEY CLIENT_AUTHORITIES")
    }
    let transport = HTTP2ServerTransport.Posix(
      address: .ipv4(host: "127.0.0.1", port: 0),
      transportSecurity: .mTLS(
        certificateChain: [.file(path: arguments[2], format: .pem)],
        privateKey: .file(path: arguments[3], format: .pem)
      ) { $0.trustRoots = .certificates([.file(path: arguments[4], format: .pem)]) },
      config: .defaults { $0.http2.maxConcurrentStreams = 1_000 },
      eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1)
    )
    let server = GRPCServer(transport: transport, services: [EchoService(path: arguments[1])])
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.serve() }
      if let port = try await server.listeningAddress?.ipv4?.port { print(port) }
      fflush(nil)
      try await group.next()
    }
  }
}

struct EchoService: RegistrableRPCService {
  let method: MethodDescriptor

  init(path: String) {
    let parts = path.split(separator: "/")
    method = MethodDescriptor(
      fullyQualifiedService: String(parts[0]),
      method: String(parts[1])
    )
  }

  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    router.registerHandler(forMethod: method, deserializer: Bytes(), serializer: Bytes()) {
      request,
      _ in
      let request = try await ServerRequest(stream: request)
      return StreamingServerResponse(single: ServerResponse(message: request.message))
    }
  }
}

/// Messages as they are.
struct Bytes: MessageSerializer, MessageDeserializer {
  func serialize<Output: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Output {
    Output(message)
  }

  func deserialize<Input: GRPCContiguousBytes>(_ bytes: Input) throws -> [UInt8] {
    bytes.withUnsafeBytes { [UInt8]($0) }
  }
}
