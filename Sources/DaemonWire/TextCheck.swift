internal import WireC

/// Finds strings that C would cut or that are not UTF-8, before anything is unpacked.
///
/// protobuf-c keeps a string as `char *`: after unpacking, a NUL in it can no longer be told from
/// its end. So the encoded bytes are walked once with the message's own description.
@safe struct TextCheck {
  private let descriptor: UnsafePointer<ProtobufCMessageDescriptor>

  init(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
    unsafe self.descriptor = descriptor
  }

  func check(_ bytes: ArraySlice<UInt8>) throws(WireError) {
    var rest = bytes
    while !rest.isEmpty {
      let tag = try takeVarint(&rest)
      switch tag & 7 {
      case 0: _ = try takeVarint(&rest)
      case 1: _ = try take(8, of: &rest)
      case 2: try check(field: tag >> 3, try take(try takeVarint(&rest), of: &rest))
      case 5: _ = try take(4, of: &rest)
      default: throw malformed
      }
    }
  }

  private func check(field number: UInt64, _ value: ArraySlice<UInt8>) throws(WireError) {
    guard let field = unsafe field(number) else { return }
    switch unsafe field.type {
    case PROTOBUF_C_TYPE_STRING:
      guard !value.contains(0), String(validating: value, as: UTF8.self) != nil else {
        throw .invalidText(message: name, field: unsafe String(cString: field.name))
      }
    case PROTOBUF_C_TYPE_MESSAGE:
      guard let inner = unsafe field.descriptor else { return }
      let type = unsafe ProtobufCMessageDescriptor.self
      try unsafe TextCheck(inner.assumingMemoryBound(to: type)).check(value)
    default: break
    }
  }

  private func field(_ number: UInt64) -> ProtobufCFieldDescriptor? {
    let count = unsafe Int(descriptor.pointee.n_fields)
    let fields = unsafe UnsafeBufferPointer(start: descriptor.pointee.fields, count: count)
    return unsafe fields.first { unsafe $0.id == number }
  }

  private var name: String { unsafe String(cString: descriptor.pointee.short_name) }

  private var malformed: WireError { .malformed(message: name) }

  private func take(
    _ count: UInt64,
    of rest: inout ArraySlice<UInt8>
  ) throws(WireError) -> ArraySlice<UInt8> {
    guard count <= rest.count else { throw malformed }
    defer { rest.removeFirst(Int(count)) }
    return rest.prefix(Int(count))
  }

  /// The next base-128 number, of at most 10 bytes.
  private func takeVarint(_ rest: inout ArraySlice<UInt8>) throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard let byte = rest.popFirst() else { throw malformed }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw malformed
  }
}
