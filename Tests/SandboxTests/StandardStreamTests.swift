import Glibc
import Testing

@testable import Sandbox

@Suite struct `Standard streams` {
  @Test func `that are closed become the null device`() async {
    await #expect(processExitsWith: .success) {
      for stream: Int32 in 0...2 { close(stream) }
      StandardStream.holdAll()
      for stream in 0...2 {
        let target = try readLink(AT_FDCWD, Array("/proc/self/fd/\(stream)".utf8))
        guard target == Array("/dev/null".utf8) else { exit(1) }
      }
    }
  }
}
