internal import RPC
internal import SwiftProtobuf
internal import Synchronization
internal import Wire

/// The way back to a call whose stream was cut.
extension Execution {
  /// For the plane to hear that all output is here.
  private static let farewell = Duration.seconds(2)

  /// Asks for the same call again, from where its output has come to, until there is a stream for it.
  ///
  /// - Throws: `ClientError` when that takes too long; `CancellationError`.
  func comeBack(_ parts: Parts, _ status: RPCStatus) async throws {
    let call = parts.callID.current.map { "call \($0)" } ?? "the call"
    let isNews = parts.retry.withLock { retry in
      defer { retry = retry ?? Patience(for: options.patience) }
      return retry == nil
    }
    if isNews {
      options.talk("the plane is gone (\(status.message)); \(call) goes on, reconnecting")
    }
    parts.input.detach(parts.link.now.number)
    var reason = status.message
    while let wait = parts.retry.withLock({ $0?.next() }) {
      try await Task.sleep(for: wait)
      do {
        return try await attach(parts)
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        reason = "\(error)"
      }
    }
    throw lost(call, reason)
  }

  private func attach(_ parts: Parts) async throws {
    guard let client = try await options.reconnect?() else { return }
    do {
      let stream = try await client.open("/gatehouse.tools.v1.Tools/Invoke")
      let from = await parts.output.offsets
      try await stream.send(
        request {
          $0.start = start
          $0.start.from = from
        }
      )
      // In this order: input that is told of the stream is sent on it at once.
      let (old, number) = parts.link.replace(client, stream)
      parts.input.attach(number)
      await parts.link.close(old)
      // It may have changed while there was nobody to tell.
      if options.isTerminal { try await sendSize(parts) }
    } catch {
      await client.close()
      throw error
    }
  }

  private func lost(_ call: String, _ reason: String) -> ClientError {
    ClientError(
      "lost: the plane did not come back (\(reason)); how \(call) ended is not known",
      exitCode: 125
    )
  }

  /// Says that all output is here, and waits until the plane has heard it: until then it, and the
  /// daemon, keep the call for us.
  func confirm(_ parts: Parts) async throws {
    let offsets = await parts.output.offsets
    let stream = parts.link.now.stream
    _ = try await stream.send(request { $0.ack.offsets = offsets })
    await stream.halfClose()
    // What else comes of it is of no matter: the call is over, and all of it is here.
    await withTaskGroup { group in
      group.addTask { while ((try? await stream.next()) ?? nil) != nil {} }
      group.addTask { try? await Task.sleep(for: Self.farewell) }
      await group.next()
      group.cancelAll()
    }
  }
}

extension RPCStatus {
  /// It is how the call ended, and not the loss of a stream.
  var isFinal: Bool { trailers["gatehouse-final"] != nil }
}
