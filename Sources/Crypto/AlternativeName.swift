internal import COpenSSL

/// A name in a certificate's subjectAltName (RFC 5280 §4.2.1.6).
package enum AlternativeName: Sendable, Hashable {
  case uri(String)
  case dns(String)
  /// 4 or 16 bytes, network order.
  case address([UInt8])
  case email(String)
  /// A kind that nothing here is mapped by; `GEN_*` of OpenSSL.
  case other(Int32)
}

extension AlternativeName {
  /// The names of a certificate, in its order.
  ///
  /// - Throws: `malformed` for a name with a byte outside 0x20…0x7e (a NUL above all: C programs
  ///   would read a shorter name), and for an extension that cannot be read or occurs twice.
  @unsafe static func all(of certificate: OpaquePointer) throws(CryptoError) -> [AlternativeName] {
    ErrorQueue.clear()
    var critical: Int32 = 0
    guard
      let found = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nil)
    else {
      // -1: there is none.
      guard critical == -1 else {
        throw .drained(.malformed, "the certificate's alternative names cannot be read")
      }
      return []
    }
    let names = OpaquePointer(found)
    defer { unsafe GENERAL_NAMES_free(names) }
    var all: [AlternativeName] = []
    for index in 0..<(unsafe OPENSSL_sk_num(names)) {
      guard let name = unsafe OPENSSL_sk_value(names, index) else { continue }
      all.append(try unsafe AlternativeName(name.assumingMemoryBound(to: GENERAL_NAME.self)))
    }
    return all
  }

  private init(_ name: UnsafePointer<GENERAL_NAME>) throws(CryptoError) {
    var kind: Int32 = 0
    guard let value = unsafe GENERAL_NAME_get0_value(name, &kind) else {
      throw CryptoError(.malformed, "an alternative name is empty")
    }
    guard [GEN_URI, GEN_DNS, GEN_EMAIL, GEN_IPADD].contains(kind) else {
      self = .other(kind)
      return
    }
    let bytes = unsafe UnsafePointer(value.assumingMemoryBound(to: ASN1_STRING.self)).bytes
    switch kind {
    case GEN_IPADD: self = .address(bytes)
    case GEN_URI: self = .uri(try Self.text(bytes))
    case GEN_DNS: self = .dns(try Self.text(bytes))
    default: self = .email(try Self.text(bytes))
    }
  }

  private static func text(_ bytes: [UInt8]) throws(CryptoError) -> String {
    guard bytes.allSatisfy({ (0x20...0x7e).contains($0) }) else {
      throw CryptoError(.malformed, "an alternative name holds a byte that is not printable ASCII")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension AlternativeName {
  /// What a server's certificate calls a host: an address, or else a DNS name.
  package static func host(_ host: String) -> AlternativeName {
    ErrorQueue.clear()
    defer { ErrorQueue.clear() }
    guard let address = unsafe a2i_IPADDRESS(host) else { return .dns(host) }
    defer { unsafe ASN1_OCTET_STRING_free(address) }
    return .address(unsafe UnsafePointer(address).bytes)
  }

  /// Adds `names` to a certificate that is being made.
  @unsafe static func add(
    _ names: [AlternativeName],
    to certificate: OpaquePointer
  ) throws(CryptoError) {
    guard !names.isEmpty else { return }
    ErrorQueue.clear()
    guard let stack = unsafe GENERAL_NAMES_new() else { throw .drained(.failed, "out of memory") }
    defer { unsafe GENERAL_NAMES_free(stack) }
    for name in names { try unsafe name.push(onto: stack) }
    guard
      unsafe X509_add1_ext_i2d(
        certificate,
        NID_subject_alt_name,
        UnsafeMutableRawPointer(stack),
        0,
        0
      ) == 1
    else { throw .drained(.failed, "the alternative names could not be added") }
  }

  private func push(onto stack: OpaquePointer) throws(CryptoError) {
    let (kind, type, bytes) = try encoded
    guard let name = unsafe GENERAL_NAME_new() else { throw .drained(.failed, "out of memory") }
    guard let value = unsafe ASN1_STRING_type_new(type) else {
      unsafe GENERAL_NAME_free(name)
      throw .drained(.failed, "out of memory")
    }
    let set = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe ASN1_STRING_set(value, bytes.baseAddress, Int32(bytes.count))
    }
    unsafe GENERAL_NAME_set0_value(name, kind, value)
    guard set == 1, unsafe OPENSSL_sk_push(stack, name) > 0 else {
      unsafe GENERAL_NAME_free(name)
      throw .drained(.failed, "out of memory")
    }
  }

  private var encoded: (kind: Int32, type: Int32, bytes: [UInt8]) {
    get throws(CryptoError) {
      switch self {
      case .uri(let text): (GEN_URI, V_ASN1_IA5STRING, Array(text.utf8))
      case .dns(let text): (GEN_DNS, V_ASN1_IA5STRING, Array(text.utf8))
      case .email(let text): (GEN_EMAIL, V_ASN1_IA5STRING, Array(text.utf8))
      case .address(let bytes): (GEN_IPADD, V_ASN1_OCTET_STRING, bytes)
      case .other: throw CryptoError(.failed, "only URI, DNS, address and e-mail names are issued")
      }
    }
  }
}

extension UnsafePointer<ASN1_STRING> {
  /// The string's bytes, NULs included.
  var bytes: [UInt8] {
    guard let data = unsafe ASN1_STRING_get0_data(self) else { return [] }
    return unsafe Array(
      UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(self)))
    )
  }
}
