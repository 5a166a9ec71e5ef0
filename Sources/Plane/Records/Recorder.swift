internal import Crypto
internal import Identity
internal import Ledger
internal import SwiftProtobuf
internal import Wire

/// What the plane's parts tell the ledger, in its words.
struct Recorder: Sendable {
  typealias Body = Gatehouse_Ledger_V1_Body

  let ledger: Ledger
  /// The plane itself, for what it does by itself or on somebody's behalf.
  let plane: EventPrincipal
  private let trustDomain: TrustDomain
  private let models: PlaneModels

  /// `models`: whose keys never get into the ledger.
  init(_ ledger: Ledger, trustDomain: TrustDomain, models: PlaneModels) {
    self.ledger = ledger
    self.trustDomain = trustDomain
    self.models = models
    plane = EventPrincipal(id: "spiffe://\(trustDomain)/plane/main", issuerPin: nil, keyPin: nil)
  }

  /// The daemon of a workspace, whose word something is.
  func daemon(of workspace: String) -> EventPrincipal {
    EventPrincipal(
      id: "spiffe://\(trustDomain)/workspace/\(workspace)",
      issuerPin: nil,
      keyPin: nil
    )
  }

  /// Of the rules that turn certificates into principals: the built-in ones.
  static let mappingVersion: UInt64 = 1

  /// Keeps what is about to happen, and returns when it is durable.
  ///
  /// - Returns: the event's sequence number, for those that it causes.
  /// - Throws: `unavailable` when it cannot be kept; then it must not happen.
  @discardableResult
  func announce(_ event: RecordedEvent) async throws(PlaneError) -> UInt64 {
    do throws(LedgerError) {
      return try await ledger.append(draft(event)).sequence
    } catch {
      throw PlaneError(.unavailable, Self.refusal(error))
    }
  }

  /// Keeps what has happened. `then` is called when it is durable, on the ledger's thread. `bytes`: see
  /// `Ledger.record`.
  func record(
    bytes: @escaping @Sendable () -> Int = { 1_024 },
    _ event: @escaping @Sendable () -> RecordedEvent,
    then: (@Sendable () -> Void)? = nil
  ) {
    ledger.record(bytes: bytes, { draft(event()) }, then: then)
  }

  /// As peers are told why nothing new is taken.
  static func refusal(_ error: LedgerError) -> String {
    switch error.code {
    case .full:
      "the plane cannot record what it does, since its disk is full or at its quota, so it starts "
        + "nothing new; whoever runs it has to make room"
    case .closed: "the plane is stopping; try again soon"
    default:
      "the plane cannot record what it does, so it starts nothing new; whoever runs it finds the "
        + "reason in its log"
    }
  }

  func draft(_ event: RecordedEvent) -> EventDraft {
    var header = event.header
    header.mappingVersion = Self.mappingVersion
    let body = event.body.map { models.masked(in: $0.recorded) }
    return EventDraft(header, scope: event.scope, body: body)
  }
}

/// An event before it is sealed.
struct RecordedEvent: Sendable {
  var header: EventHeader
  var scope = BodyScope.plane
  var body: Recorder.Body?

  /// `change` says what happened: its case in `Body` is the event's kind.
  init(
    _ kind: EventKind,
    by principal: EventPrincipal?,
    in workspace: String = "",
    _ change: (inout Recorder.Body) -> Void
  ) {
    header = EventHeader(kind)
    header.principal = principal
    header.workspace = workspace
    var body = Recorder.Body()
    change(&body)
    self.body = body
  }
}

extension EventPrincipal {
  init(_ principal: Principal) {
    self.init(
      id: principal.id.description,
      issuerPin: Self.hash(principal.issuerPin),
      keyPin: Self.hash(principal.certificatePin)
    )
  }

  /// The 32 bytes of `sha256//…`.
  private static func hash(_ pin: String) -> Hash256? {
    Base64.decode(String(pin.dropFirst("sha256//".count))).flatMap { Hash256($0) }
  }
}

extension SwiftProtobuf.Message {
  fileprivate var recorded: [UInt8] {
    // Fails for proto2's required fields and beyond 2 GiB; we have neither.
    guard let bytes = try? serializedBytes() as [UInt8] else {
      preconditionFailure("a \(Self.protoMessageName) that cannot be encoded")
    }
    return bytes
  }
}
