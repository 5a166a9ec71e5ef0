/// A first-in, first-out queue that can be read anywhere: a ring that doubles when it is full.
///
/// Inlinable: it is in every queue of the relay path, and what is generic is slow across modules.
package struct Fifo<Element> {
  @usableFromInline var slots: [Element?] = []
  @usableFromInline var head = 0
  @usableFromInline var length = 0

  @inlinable package init() {}

  @inlinable package var count: Int { length }
  @inlinable package var isEmpty: Bool { length == 0 }
  @inlinable @inline(__always) package var first: Element? { isEmpty ? nil : self[0] }

  /// The element `index` places behind the first.
  @inlinable package subscript(index: Int) -> Element {
    @inline(__always) get {
      guard index < count, let element = slots[slot(index)] else {
        preconditionFailure("element \(index) of \(count)")
      }
      return element
    }
    set {
      precondition(index < count, "element \(index) of \(count)")
      slots[slot(index)] = newValue
    }
  }

  @inlinable @inline(__always) package mutating func append(_ element: Element) {
    if count == slots.count { grow() }
    slots[slot(count)] = element
    length += 1
  }

  @discardableResult
  @inlinable @inline(__always) package mutating func popFirst() -> Element? {
    guard !isEmpty else { return nil }
    let element = slots[head]
    slots[head] = nil
    head = slot(1)
    length -= 1
    return element
  }

  @discardableResult
  @inlinable package mutating func popLast() -> Element? {
    guard !isEmpty else { return nil }
    let last = slot(count - 1)
    let element = slots[last]
    slots[last] = nil
    length -= 1
    return element
  }

  /// Takes out the element `index` places behind the first; O(index).
  @inlinable package mutating func remove(at index: Int) -> Element {
    let element = self[index]
    for place in (0..<index).reversed() { self[place + 1] = self[place] }
    popFirst()
    return element
  }

  /// Takes out every element that matches; O(n).
  @inlinable package mutating func removeAll(where matches: (Element) -> Bool) {
    for _ in 0..<count {
      if let element = popFirst(), !matches(element) { append(element) }
    }
  }

  @inlinable @inline(__always) func slot(_ index: Int) -> Int { (head + index) & (slots.count - 1) }

  /// The number of slots stays a power of two, so that `slot` needs no division.
  @inlinable mutating func grow() {
    guard !slots.isEmpty else {
      slots = Array(repeating: nil, count: 4)
      return
    }
    let ordered = (0..<count).map { slots[slot($0)] }
    slots = ordered + Array(repeating: nil, count: count)
    head = 0
  }
}

extension Fifo: Sendable where Element: Sendable {}
