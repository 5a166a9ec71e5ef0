#if canImport(CJemalloc)
internal import CJemalloc
#endif

/// The process's heap, which jemalloc keeps: whatever links this part has it for all that is allocated.
///
/// A relayed call makes a hundred small objects and drops them, of which glibc keeps seven of a size at
/// hand; `Sources/README.md` has what that costs. Built for a sanitizer, the program has the sanitizer's.
package enum Heap {
  package struct Statistics: Sendable, Equatable {
    /// Bytes that the program has.
    package let allocated: UInt64
    /// Bytes of memory that these and the allocator's own tables take.
    package let resident: UInt64
  }

  /// Has memory that is not used any more given back by a thread of the allocator's: otherwise that is
  /// done when something is allocated, which in an idle process is never.
  package static func giveBackWhenIdle() {
    #if canImport(CJemalloc)
    var isOn = true
    // Refused by an allocator that was put in this one's place; it has its own ways.
    _ = unsafe mallctl("background_thread", nil, nil, &isOn, MemoryLayout<Bool>.size)
    #endif
  }

  /// Nil when another allocator has been put in this one's place.
  package static var statistics: Statistics? {
    #if canImport(CJemalloc)
    // What is told stays as it is until this is moved on.
    var epoch: UInt64 = 1
    _ = unsafe mallctl("epoch", nil, nil, &epoch, MemoryLayout<UInt64>.size)
    guard let allocated = number("stats.allocated"), let resident = number("stats.resident"),
      allocated > 0
    else { return nil }
    return Statistics(allocated: allocated, resident: resident)
    #else
    return nil
    #endif
  }

  #if canImport(CJemalloc)
  private static func number(_ name: String) -> UInt64? {
    var value = 0
    var size = MemoryLayout<Int>.size
    guard unsafe mallctl(name, &value, &size, nil, 0) == 0 else { return nil }
    return UInt64(value)
  }
  #endif
}
