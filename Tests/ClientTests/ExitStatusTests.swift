import Client
import SwiftProtobuf
import Testing
import Wire

@Suite struct ExitStatusTests {
  private static let codes: [(Gatehouse_Tools_V1_Outcome, Int32)] = [
    (.exited, 3), (.signalled, 137), (.timedOut, 124), (.cancelled, 130), (.refused, 125),
    (.lost, 125), (.spawnFailed, 125),
  ]

  @Test(arguments: codes)
  func `each outcome has its exit code`(outcome: Gatehouse_Tools_V1_Outcome, code: Int32) {
    let status = ExitStatus(
      .with {
        $0.outcome = outcome
        $0.code = 3
        $0.signal = 9
      }
    )
    #expect(status.code == code)
  }

  private static let spawnCodes: [(String, Int32)] = [
    ("not_found", 127), ("not_executable", 126), ("permission_denied", 126),
  ]

  @Test(arguments: spawnCodes)
  func `why a command did not start has the shell's codes`(error: String, code: Int32) {
    let status = ExitStatus(
      .with {
        $0.outcome = .spawnFailed
        $0.error.code = error
        $0.error.message = "there is no x"
      }
    )
    #expect(status.code == code)
    #expect(status.message == "there is no x")
  }

  @Test(arguments: [(Int32(256), Int32(1)), (-1, 1), (0, 128), (0, -1), (0, .max), (.min, .min)])
  func `a number that no process ends with is no success`(code: Int32, signal: Int32) {
    for outcome in [Gatehouse_Tools_V1_Outcome.exited, .signalled] {
      let status = ExitStatus(
        .with {
          $0.outcome = outcome
          $0.code = code
          $0.signal = signal
        }
      )
      #expect((0...255).contains(status.code))
      if code != 0 || outcome == .signalled { #expect(status.code != 0) }
    }
  }

  @Test func `a cancel that nobody asked for is our own failure, and says why`() {
    let status = ExitStatus(
      .with {
        $0.outcome = .cancelled
        $0.error.message = "the daemon ended"
      }
    )
    #expect(status.code == 125)
    #expect(status.message == "cancelled: the daemon ended")
  }

  @Test func `success says nothing, and a loss says that it is one`() {
    #expect(ExitStatus(.with { $0.outcome = .exited }).message.isEmpty)
    #expect(ExitStatus(.with { $0.outcome = .lost }).message.hasPrefix("lost: "))
    for (isGone, words) in [(true, "nothing of it runs any more"), (false, "may still run")] {
      let exit = Gatehouse_Tools_V1_Exit.with {
        $0.outcome = .lost
        $0.treeGone = isGone
      }
      #expect(ExitStatus(exit).message.hasSuffix(words))
    }
  }
}
