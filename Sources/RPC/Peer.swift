/// The other end of a connection; each call refers to it.
package final class Peer: Sendable {
  /// `127.0.0.1:50123`, for logs.
  package let address: String
  /// Its verified chain, leaf first, in DER; empty when it showed none.
  package let certificatesDER: [[UInt8]]
  /// What `Identification` made of the chain.
  package let identity: (any AnyObject & Sendable)?
  /// Why it is nobody: each of its calls is told.
  let refusal: RPCStatus?

  package init(
    address: String,
    certificatesDER: [[UInt8]] = [],
    identity: (any AnyObject & Sendable)? = nil,
    refusal: RPCStatus? = nil
  ) {
    self.address = address
    self.certificatesDER = certificatesDER
    self.identity = identity
    self.refusal = refusal
  }
}

/// Turns a connection's certificates into who it is; runs once per connection, on its loop.
package struct Identification: Sendable {
  /// Who the peer is, and how long that holds.
  package struct Identified: Sendable {
    /// Nil: nobody in particular. An object, which each call's handler casts to what it is.
    package let identity: (any AnyObject & Sendable)?
    /// The connection ends then. `nil`: never.
    package let validFor: Duration?
    /// Whose connections are counted together; see `ListenerLimits`. `nil`: they are not.
    package let name: String?

    package init(identity: (any AnyObject & Sendable)?, validFor: Duration?, name: String? = nil) {
      self.identity = identity
      self.validFor = validFor
      self.name = name
    }
  }

  let identify: @Sendable (_ certificatesDER: [[UInt8]]) -> Result<Identified, RPCStatus>

  package init(
    _ identify: @escaping @Sendable ([[UInt8]]) -> Result<Identified, RPCStatus>
  ) { self.identify = identify }
}
