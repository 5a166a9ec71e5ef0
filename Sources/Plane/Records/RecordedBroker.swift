package import Broker
package import EventLoop
package import Host
package import Identity
internal import Ledger

/// A broker with a plane's ledger behind it and nothing else of a plane: what its record of calls costs
/// is measured by `gatehouse-bench`.
package struct RecordedBroker: Sendable {
  package let broker: Broker
  private let ledger: Ledger

  /// Makes the ledger in `folder`, with its checkpoints beside it, or goes on with the one there.
  ///
  /// - Throws: when the ledger cannot be opened.
  package init(
    in folder: StateFolder,
    of trustDomain: TrustDomain,
    on loop: EventLoop,
    directory: any WorkspaceDirectory
  ) throws {
    ledger = try Plane.openLedger(
      in: folder,
      of: trustDomain,
      checkpoints: folder.path + ".checkpoints"
    )
    let recorder = Recorder(ledger, trustDomain: trustDomain, models: PlaneModels())
    var options = BrokerOptions()
    options.journal = LedgerJournal(recorder, RefusalRecorder(recorder))
    broker = Broker(on: loop, directory: directory, options: options)
  }

  /// Writes what waits, and signs the last checkpoint.
  package func close() async { await ledger.close() }
}
