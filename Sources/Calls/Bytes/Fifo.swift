/// A first-in, first-out queue that can be read anywhere: a ring that doubles when it is full.
package struct Fifo<Element> {
  private var slots: [Element?] = []
  private var head = 0
  package private(set) var count = 0

  package init() {}

  package var isEmpty: Bool { count == 0 }
  package var first: Element? { isEmpty ? nil : self[0] }

  /// The element `index` places behind the first.
  package subscript(index: Int) -> Element {
    guard index < count, let element = slots[slot(index)] else {
      preconditionFailure("element \(index) of \(count)")
    }
    return element
  }

  package mutating func append(_ element: Element) {
    if count == slots.count { grow() }
    slots[slot(count)] = element
    count += 1
  }

  @discardableResult
  package mutating func popFirst() -> Element? {
    guard !isEmpty else { return nil }
    let element = slots[head]
    slots[head] = nil
    head = slot(1)
    count -= 1
    return element
  }

  /// Takes out every element that matches; O(n).
  package mutating func removeAll(where matches: (Element) -> Bool) {
    for _ in 0..<count {
      if let element = popFirst(), !matches(element) { append(element) }
    }
  }

  private func slot(_ index: Int) -> Int { (head + index) & (slots.count - 1) }

  /// The number of slots stays a power of two, so that `slot` needs no division.
  private mutating func grow() {
    let ordered = (0..<count).map { slots[slot($0)] }
    slots = ordered + Array(repeating: nil, count: max(4, count))
    head = 0
  }
}

extension Fifo: Sendable where Element: Sendable {}
