import Glibc
import Testing

@testable import EventLoop

@Suite struct `The limit of descriptors` {
  @Test func `is raised to all that the system allows, and what it was is known`() {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    let (soft, hard) = DescriptorLimit.current
    // One less than it may be: other tests run meanwhile, and notice nothing.
    var lower = rlimit(rlim_cur: rlim_t(hard - 1), rlim_max: rlim_t(hard))
    #expect(unsafe setrlimit(resource, &lower) == 0)
    #expect(DescriptorLimit.current.soft == hard - 1)
    DescriptorLimit.raise()
    #expect(DescriptorLimit.current.soft == hard)
    #expect([soft, hard - 1].contains(DescriptorLimit.inherited))
  }

  @Test func `is the one that the process before had, where it says so and the system allows it`() {
    #expect(DescriptorLimit.told("77") == 77)
    #expect(DescriptorLimit.told("\(DescriptorLimit.current.hard)") == DescriptorLimit.current.hard)
    for text in [nil, "", "0", "-1", "many", "\(UInt64.max)"] {
      // The soft one, which another test lowers by one for a moment.
      #expect(DescriptorLimit.told(text) > 77, "\(text ?? "none")")
    }
  }
}
