internal import Crypto
internal import EventLoop
internal import Host
internal import Logging
internal import PlanePKI
internal import RPC

/// Renews the server's and the admin's certificates at half of their life, while the plane runs.
///
/// New connections get the new certificate; those there are go on.
actor CertificateRenewal {
  private var pki: PlanePKI
  private let folder: StateFolder
  private let hosts: [String]
  private let listeners: Listeners
  private let disk: WorkerPool
  /// Seconds since 1970.
  private let clock: @Sendable () -> Int64

  init(
    _ pki: PlanePKI,
    in folder: StateFolder,
    hosts: [String],
    listeners: Listeners,
    disk: WorkerPool,
    clock: @escaping @Sendable () -> Int64
  ) {
    self.pki = pki
    self.folder = folder
    self.hosts = hosts
    self.listeners = listeners
    self.disk = disk
    self.clock = clock
  }

  /// Renews what is due, until its task is cancelled.
  func run() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.wait(until: pki.renewal, at: clock()))
      guard !Task.isCancelled else { return }
      await renew()
    }
  }

  /// Renews what is past half of its life. What fails is logged, and tried again.
  func renew() async {
    let (pki, folder, hosts, now) = (pki, folder, hosts, clock())
    do {
      let renewed = try await disk.run { try pki.renewed(in: folder, hosts: hosts, at: now) }
      self.pki = renewed
      guard renewed.serverChain.map(\.der) != pki.serverChain.map(\.der) else { return }
      let tls = try ListenerTLS(renewed)
      await listeners.bound.mutual.use(tls.mutual)
      await listeners.bound.open.use(tls.open)
      Plane.log.info("certificates_renewed", metadata: ["renewal": "\(renewed.renewal)"])
    } catch {
      Plane.log.error("certificates_not_renewed", metadata: ["error": "\(error)"])
    }
  }

  /// An hour at most, since the clock may be set and the machine may sleep; a minute at least, since
  /// a full disk stays full for a while.
  static func wait(until renewal: Int64, at now: Int64) -> Duration {
    .seconds(min(max(renewal - now, 60), 3600))
  }
}
