import EventLoop
import Glibc
import Testing

@Suite(.timeLimit(.minutes(5))) struct `Standard descriptors, in a process of its own` {
  @Test func `a closed one is opened, and fails for what it was for`() async {
    await #expect(processExitsWith: .success) {
      close(0)
      close(1)
      StandardDescriptors.fill()
      var byte: UInt8 = 1
      let count = unsafe write(1, &byte, 1)
      precondition(count == -1 && errno == EBADF, "writing to it gave \(count)")
      precondition(unsafe read(0, &byte, 1) == -1, "something was read from it")
      precondition(unsafe open("/dev/null", O_RDWR) > 2, "a number below 3 was free")
    }
  }

  @Test func `an open one is left as it is`() async {
    await #expect(processExitsWith: .success) {
      var ends: [Int32] = [0, 0]
      precondition(unsafe pipe(&ends) == 0)
      dup2(ends[1], 1)
      StandardDescriptors.fill()
      var byte: UInt8 = 7
      precondition(unsafe write(1, &byte, 1) == 1)
      precondition(unsafe read(ends[0], &byte, 1) == 1 && byte == 7)
    }
  }
}
