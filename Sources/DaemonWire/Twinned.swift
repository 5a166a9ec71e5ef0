internal import CProtobufC
internal import WireC

/// A message with a twin made by protoc-c, through which it is encoded and decoded.
protocol Twinned: WireMessage {
  /// An empty twin: the generated struct, after its `…__init`. Begins with a `ProtobufCMessage`.
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer

  /// Copies what an unpacked twin holds. Its strings were checked.
  init(twin: UnsafeRawPointer)

  /// Sets the fields of an empty twin, with memory from `arena` for what they point to.
  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError)
}

extension Twinned {
  package init(decoding bytes: [UInt8]) throws(WireError) {
    let arena = Arena()
    let empty = UnsafeRawPointer(unsafe Self.makeTwin(in: arena))
    guard
      let descriptor = unsafe empty.assumingMemoryBound(to: ProtobufCMessage.self).pointee
        .descriptor
    else { preconditionFailure("an initialized message without descriptor") }

    try unsafe TextCheck(descriptor).check(bytes[...])
    guard let message = unsafe protobuf_c_message_unpack(descriptor, nil, bytes.count, bytes) else {
      throw WireError.malformed(message: "\(Self.self)")
    }
    defer { unsafe protobuf_c_message_free_unpacked(message, nil) }
    unsafe self.init(twin: UnsafeRawPointer(message))
  }

  package func encoded() throws(WireError) -> [UInt8] {
    let arena = Arena()
    let twin = UnsafeRawPointer(try unsafe arena.twin(of: self))
    let message = unsafe twin.assumingMemoryBound(to: ProtobufCMessage.self)
    return unsafe [UInt8](
      unsafeUninitializedCapacity: protobuf_c_message_get_packed_size(message)
    ) { buffer, count in
      count = unsafe protobuf_c_message_pack(message, buffer.baseAddress)
    }
  }
}

/// The memory that a message to be packed points to; freed with the arena.
@safe final class Arena {
  private var allocations: [UnsafeMutableRawPointer] = unsafe []

  deinit {
    unsafe allocations.forEach { unsafe $0.deallocate() }
  }

  /// A zeroed struct, initialized by its generated `…__init`.
  func make<C>(_ initialize: (UnsafeMutablePointer<C>?) -> Void) -> UnsafeMutableRawPointer {
    let pointer = unsafe allocate(C.self, count: 1)
    unsafe initialize(pointer)
    return UnsafeMutableRawPointer(pointer)
  }

  func twin<M: Twinned>(of message: M) throws(WireError) -> UnsafeMutableRawPointer {
    let twin = unsafe M.makeTwin(in: self)
    try unsafe message.fill(twin, from: self)
    return unsafe twin
  }

  /// `C` is the twin's type, which the field that takes the pointer knows.
  func message<M: Twinned, C>(_ message: M?) throws(WireError) -> UnsafeMutablePointer<C>? {
    guard let message else { return nil }
    return try unsafe twin(of: message).assumingMemoryBound(to: C.self)
  }

  func messages<M: Twinned, C>(
    _ messages: [M]
  ) throws(WireError) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<C>?>?) {
    let list = unsafe allocate(UnsafeMutablePointer<C>?.self, count: messages.count)
    for (index, message) in messages.enumerated() {
      unsafe (list + index).initialize(to: try self.message(message))
    }
    return unsafe (messages.count, list)
  }

  /// Uninitialized memory for `count` values of a C type.
  private func allocate<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
    let pointer = UnsafeMutablePointer<T>.allocate(capacity: count)
    unsafe allocations.append(UnsafeMutableRawPointer(pointer))
    return unsafe pointer
  }

  func blob(_ bytes: [UInt8]) -> ProtobufCBinaryData {
    let copy = unsafe allocate(UInt8.self, count: bytes.count)
    unsafe bytes.withUnsafeBufferPointer { bytes in
      guard let source = bytes.baseAddress else { return }
      unsafe copy.initialize(from: source, count: bytes.count)
    }
    return unsafe ProtobufCBinaryData(len: bytes.count, data: copy)
  }

  func blobs(_ blobs: [[UInt8]]) -> (Int, UnsafeMutablePointer<ProtobufCBinaryData>?) {
    let list = unsafe allocate(ProtobufCBinaryData.self, count: blobs.count)
    for (index, bytes) in blobs.enumerated() {
      unsafe (list + index).initialize(to: blob(bytes))
    }
    return unsafe (blobs.count, list)
  }

  func text(_ text: String) throws(WireError) -> UnsafeMutablePointer<CChar> {
    let count = text.utf8.count
    let copy = unsafe allocate(CChar.self, count: count + 1)
    for (index, byte) in text.utf8.enumerated() {
      guard byte != 0 else { throw WireError.unsendableText }
      unsafe (copy + index).initialize(to: CChar(truncatingIfNeeded: byte))
    }
    unsafe (copy + count).initialize(to: 0)
    return unsafe copy
  }

  func texts(
    _ texts: [String]
  ) throws(WireError) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
    let list = unsafe allocate(UnsafeMutablePointer<CChar>?.self, count: texts.count)
    for (index, text) in texts.enumerated() {
      unsafe (list + index).initialize(to: try self.text(text))
    }
    return unsafe (texts.count, list)
  }
}

/// Copies out of an unpacked twin. A null pointer stands for an empty list or text, or no message.
enum Copy {
  static func message<M: Twinned, C>(_ c: UnsafeMutablePointer<C>?) -> M? {
    guard let c = unsafe c else { return nil }
    return unsafe M(twin: UnsafeRawPointer(c))
  }

  static func messages<M: Twinned, C>(
    _ count: Int,
    _ list: UnsafeMutablePointer<UnsafeMutablePointer<C>?>?
  ) -> [M] {
    unsafe UnsafeBufferPointer(start: list, count: count).compactMap { unsafe message($0) }
  }

  static func blob(_ data: ProtobufCBinaryData) -> [UInt8] {
    unsafe [UInt8](UnsafeBufferPointer(start: data.data, count: data.len))
  }

  static func blobs(_ count: Int, _ list: UnsafeMutablePointer<ProtobufCBinaryData>?) -> [[UInt8]] {
    unsafe UnsafeBufferPointer(start: list, count: count).map { unsafe blob($0) }
  }

  static func text(_ text: UnsafeMutablePointer<CChar>?) -> String {
    guard let text = unsafe text else { return "" }
    return unsafe String(cString: text)
  }

  static func texts(
    _ count: Int,
    _ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) -> [String] {
    unsafe UnsafeBufferPointer(start: list, count: count).map { unsafe text($0) }
  }
}
