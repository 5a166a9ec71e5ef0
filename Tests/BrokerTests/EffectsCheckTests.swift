import FoundationEssentials
import RPC
import SwiftProtobuf
import Testing
import Wire

@testable import Broker

private typealias Effects = Gatehouse_Tools_V1_Effects

private func file(_ path: String) -> Gatehouse_Tools_V1_FileEffect {
  .with {
    $0.path = Data(path.utf8)
    $0.after.sha256 = Data(repeating: 1, count: 32)
  }
}

/// Good ones, changed.
private func changed(_ change: (inout Effects) -> Void) -> Effects {
  .with {
    $0.files = [file("a"), file("b/c")]
    $0.incomplete = ["a reason"]
    change(&$0)
  }
}

/// What is wrong with each, and it: only the first is printed of a test.
private let broken: [(String, Effects)] = [
  ("paths that are not in order", changed { $0.files.swapAt(0, 1) }),
  ("come twice", changed { $0.files[1] = $0.files[0] }),
  ("no path", changed { $0.files[0].path = Data() }),
  ("no path from the root", changed { $0.files[0].path = Data("/etc/passwd".utf8) }),
  ("a path with a NUL", changed { $0.files[0].path = Data([0]) }),
  ("neither before nor after", changed { $0.files[0].clearAfter() }),
  ("half a digest", changed { $0.files[0].after.sha256 = Data([1]) }),
  ("a text that is not kept", changed { $0.files[0].after.text = Data([1]) }),
  (
    "a long text",
    changed {
      $0.files[0].after.kept = .kept
      $0.files[0].after.text = Data(count: 65_537)
    }
  ),
  ("a long diff", changed { $0.files[0].diff = String(repeating: "x", count: 65_537) }),
  ("many reasons", changed { $0.incomplete = Array(repeating: "x", count: 17) }),
  ("a long reason", changed { $0.incomplete = [String(repeating: "x", count: 1_025)] }),
  ("many files", changed { $0.files = (1_000...2_000).map { file("\($0)") } }),
]

@Suite struct `What a daemon says that a call changed` {
  private func refusal(_ effects: Effects, bytes: Int = 100) -> String? {
    do throws(RPCStatus) {
      _ = try effects.checked(ofBytes: bytes)
      return nil
    } catch {
      #expect(error.code == .invalidArgument)
      return error.message
    }
  }

  @Test func `is taken when it keeps to the rules`() {
    #expect(refusal(changed { _ in }) == nil)
    #expect(refusal(Effects()) == nil)
  }

  @Test(arguments: broken.map { $0.0 }) func `is refused where it does not`(what: String) throws {
    let effects = try #require(broken.first { $0.0 == what }?.1)
    #expect(refusal(effects) != nil)
  }

  @Test func `is refused where it is long`() {
    #expect(refusal(changed { _ in }, bytes: 819_201) != nil)
  }

  @Test func `is kept without what nobody here knows`() throws {
    var bytes: [UInt8] = try changed { _ in }.serializedBytes()
    // Field 900, a number.
    bytes += [0xa0, 0x38, 1]
    let effects = try Effects(serializedBytes: bytes).checked(ofBytes: bytes.count)
    #expect(effects == changed { _ in })
  }
}
