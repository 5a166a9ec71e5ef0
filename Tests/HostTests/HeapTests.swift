import Testing

@testable import Host

struct HeapTests {
  @Test func `what is allocated is counted`() {
    // Other tests allocate and free beside this one; what it holds is there all the time.
    let bytes = [UInt8](repeating: 1, count: 64 * 1_048_576)
    // A sanitizer's allocator may have taken its place.
    if let heap = Heap.statistics {
      #expect(heap.allocated >= bytes.count)
      #expect(heap.resident >= bytes.count)
    }
    #expect(bytes.last == 1)
  }
}
