internal import WireC

/// What a daemon without a certificate says: its token and its certificate request.
package struct EnrollRequest: WireMessage {
  package var token: String
  /// PKCS #10 in DER, signed by a key that never leaves its machine. The names in
  /// it are ignored: the token says who you are.
  package var csrDer: [UInt8]

  package init(token: String = "", csrDer: [UInt8] = []) {
    self.token = token
    self.csrDer = csrDer
  }
}

extension EnrollRequest: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__enroll_request__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__EnrollRequest.self)
    token = unsafe Copy.text(c.token)
    csrDer = unsafe Copy.blob(c.csr_der)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__EnrollRequest.self)
    unsafe c.pointee.token = try arena.text(token)
    unsafe c.pointee.csr_der = arena.blob(csrDer)
  }
}

/// A workspace's first certificate, and where to go with it.
package struct EnrollResponse: WireMessage {
  /// Leaf first, then intermediates.
  package var certificatesDer: [[UInt8]]
  /// What to trust the plane by.
  package var authoritiesDer: [[UInt8]]
  /// Spiffe://…/workspace/<id>.
  package var identity: String
  /// HOST:PORT of the mutual listener.
  package var planeAddress: String

  package init(
    certificatesDer: [[UInt8]] = [],
    authoritiesDer: [[UInt8]] = [],
    identity: String = "",
    planeAddress: String = ""
  ) {
    self.certificatesDer = certificatesDer
    self.authoritiesDer = authoritiesDer
    self.identity = identity
    self.planeAddress = planeAddress
  }
}

extension EnrollResponse: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__link__v1__enroll_response__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Link__V1__EnrollResponse.self)
    certificatesDer = unsafe Copy.blobs(c.n_certificates_der, c.certificates_der)
    authoritiesDer = unsafe Copy.blobs(c.n_authorities_der, c.authorities_der)
    identity = unsafe Copy.text(c.identity)
    planeAddress = unsafe Copy.text(c.plane_address)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Link__V1__EnrollResponse.self)
    unsafe (c.pointee.n_certificates_der, c.pointee.certificates_der) = arena.blobs(certificatesDer)
    unsafe (c.pointee.n_authorities_der, c.pointee.authorities_der) = arena.blobs(authoritiesDer)
    unsafe c.pointee.identity = try arena.text(identity)
    unsafe c.pointee.plane_address = try arena.text(planeAddress)
  }
}
