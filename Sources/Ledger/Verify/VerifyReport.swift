/// What a look at the whole ledger found.
package struct VerifyReport: Sendable, Equatable {
  package struct Finding: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
      /// An event is not there.
      case missing
      /// An event stands in another's place: moved, or pushed in between.
      case misplaced
      /// The bytes of a header are none.
      case malformed
      /// A body is not the one that its header was written with.
      case body
      /// A body's key is gone, and no event says who erased it.
      case unaccounted
      /// Events are not those that a checkpoint was signed for.
      case changed
      /// A checkpoint was signed for another history.
      case fork
      /// A checkpoint is not signed by the ledger's key.
      case forged
      /// The ledger ends before a checkpoint does.
      case cut
      /// The history of the keys that sign does not hold.
      case keys
      /// The file of checkpoints belongs to another ledger too.
      case stranger
    }

    package let kind: Kind
    /// Names events, and what to do.
    package let message: String
    /// The first event that it is about; nil: none.
    package let sequence: UInt64?
  }

  /// The last checkpoint that was kept outside and holds.
  package struct Covered: Sendable, Equatable {
    package let sequence: UInt64
    /// Seconds since 1970; nil: it does not say.
    package let time: Int64?
  }

  /// The ledger went on from a copy. That is on record, and so no finding; what is missing is missing.
  package struct Restored: Sendable, Equatable {
    /// Of the event that says so.
    package let sequence: UInt64
    /// Microseconds since 1970.
    package let time: Int64
    package let restoration: Restoration
    /// Checkpoints of the history that was given up, found outside.
    package internal(set) var checkpoints = 0
    /// Place of the first checkpoint that holds since, among those that it was held against; nil: none
    /// does.
    var place: Int?

    init(sequence: UInt64, time: Int64, _ restoration: Restoration) {
      self.sequence = sequence
      self.time = time
      self.restoration = restoration
    }
  }

  package internal(set) var origin = ""
  /// The key that signs now, as other tools take it.
  package internal(set) var verifierKey = ""
  package internal(set) var events: UInt64 = 0
  /// The tree's root over all events, in hexadecimal.
  package internal(set) var root = ""
  /// Microseconds since 1970, of the last event.
  package internal(set) var lastTime: Int64 = 0
  package internal(set) var checkpoints = 0
  /// Of these, such as nobody can say of who ought to have signed them: the ledger names its keys in
  /// bodies, and the key of keys is not here.
  package internal(set) var unjudgedCheckpoints = 0
  package internal(set) var covered: Covered?
  package internal(set) var findings: [Finding] = []
  package internal(set) var restorations: [Restored] = []
  /// Bodies that were erased, with an event that says by whom.
  package internal(set) var erasedBodies: UInt64 = 0
  /// Bodies that could not be looked at, since the key of keys is not here.
  package internal(set) var uncheckedBodies: UInt64 = 0
  /// First lines of what is no checkpoint in their file; a machine without power leaves such things.
  package internal(set) var unreadable: [String] = []

  package var isClean: Bool { findings.isEmpty }
  /// Events that no checkpoint outside vouches for yet.
  package var uncovered: UInt64 { events - min(events, covered?.sequence ?? 0) }

  /// Enough to see what is amiss; of millions of events each could be.
  static let maxFindings = 1_000

  mutating func add(_ kind: Finding.Kind, _ sequence: UInt64?, _ message: String) {
    guard findings.count < Self.maxFindings else { return }
    findings.append(Finding(kind: kind, message: message, sequence: sequence))
  }
}
