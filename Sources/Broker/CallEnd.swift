internal import Calls
internal import FoundationEssentials
internal import SwiftProtobuf
internal import Wire

/// How a call ended, as its readers are told: one message that is an `InvokeResponse` and a
/// `FollowResponse` alike.
struct CallEnd: Sendable {
  /// Framed as `Exit` is in those messages, and in `CarryRequest`.
  let message: [UInt8]
  /// `Exit.code`
  let code: Int32

  /// An exit of the daemon's that was walked and found plain.
  init(_ exit: ExitMessage) {
    message = exit.bytes
    code = exit.code
  }

  init(_ exit: Gatehouse_Tools_V1_Exit) {
    var response = Gatehouse_Tools_V1_FollowResponse()
    response.exit = exit
    message = response.encoded
    code = exit.code
  }

  /// Decoded for those who look into it: most exits are only passed on.
  var exit: Gatehouse_Tools_V1_Exit {
    // What was walked or encoded here can be decoded.
    (try? Gatehouse_Tools_V1_FollowResponse(serializedBytes: message))?.exit
      ?? Gatehouse_Tools_V1_Exit()
  }

  /// How it ended, without what it says of anybody's content.
  var erased: CallEnd {
    var exit = exit
    exit.eraseContent()
    return CallEnd(exit)
  }
}

extension Gatehouse_Tools_V1_Exit {
  mutating func eraseContent() {
    response = Data()
    clearError()
    // Who guesses short output would know it by its digest.
    for index in totals.indices { totals[index].sha256 = Data() }
  }
}
