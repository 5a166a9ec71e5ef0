internal import Calls

/// The input of one command, on its way from the plane into the pipe. Holds no descriptor.
struct CallInput {
  /// Bytes that arrived.
  private(set) var received: UInt64
  /// Bytes that the command's pipe took.
  private(set) var taken: UInt64
  private var pending: [Piece] = []
  private var closeAt: UInt64?
  private var acknowledged: UInt64 = 0

  private struct Piece {
    var bytes: ArraySlice<UInt8>
    var credit: Int
  }

  /// Acknowledged so often, and whenever nothing is pending.
  private static let acknowledgedEvery: UInt64 = 32 * 1_024

  init(startingAt position: UInt64 = 0) {
    (received, taken) = (position, position)
  }

  /// What to write next; `nil` when all was written.
  var next: ArraySlice<UInt8>? { pending.first?.bytes }

  /// All was written, and no more will come.
  var isOver: Bool { closeAt == taken }

  /// Takes bytes that arrived; `credit` is given back once they are written.
  mutating func append(
    _ bytes: ArraySlice<UInt8>,
    at offset: UInt64,
    credit: Int
  ) throws(PositionError) {
    guard closeAt == nil else { throw .afterClose(.stdin, closed: closeAt ?? 0, got: offset) }
    guard offset == received else {
      throw .wrongOffset(.stdin, expected: received, got: offset)
    }
    received += UInt64(bytes.count)
    pending.append(Piece(bytes: bytes, credit: credit))
  }

  mutating func close(at offset: UInt64) throws(PositionError) {
    guard offset == received else {
      throw .wrongOffset(.stdin, expected: received, got: offset)
    }
    closeAt = offset
  }

  /// The pipe took the first `count` of `next`. Gives the credit that is now due.
  mutating func wrote(_ count: Int) -> Int {
    taken += UInt64(count)
    guard !pending.isEmpty else { return 0 }
    pending[0].bytes = pending[0].bytes.dropFirst(count)
    guard pending[0].bytes.isEmpty else { return 0 }
    return pending.removeFirst().credit
  }

  /// Nobody reads the pipe any more: the rest counts as taken, so that its sender is not stuck.
  mutating func discard() -> Int {
    taken = received
    defer { pending = [] }
    return pending.reduce(0) { $0 + $1.credit }
  }

  /// The position to acknowledge now, if one is due.
  mutating func acknowledgement() -> UInt64? {
    guard taken > acknowledged, pending.isEmpty || taken - acknowledged >= Self.acknowledgedEvery
    else { return nil }
    acknowledged = taken
    return taken
  }

  /// A `Carry` was cut, and its credit with it. The bytes stay; what was acknowledged may not have
  /// been heard, or by a plane that is gone, and is acknowledged again on the next.
  mutating func carryLost() {
    acknowledged = 0
    for index in pending.indices { pending[index].credit = 0 }
  }
}
