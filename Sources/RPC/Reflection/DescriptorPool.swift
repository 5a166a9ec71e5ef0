/// The files of a `google.protobuf.FileDescriptorSet`, and where each name is defined.
///
/// Reads the few fields that this takes (google/protobuf/descriptor.proto); the files themselves are
/// handed on as they are.
package struct DescriptorPool: Sendable {
  private struct File {
    let bytes: [UInt8]
    var dependencies: [String] = []
  }

  private var files: [String: File] = [:]
  private var fileOfSymbol: [String: String] = [:]
  /// By extended type: number → file.
  private var extensions: [String: [Int32: String]] = [:]

  /// - Throws: when the bytes are no such set.
  package init(_ set: [UInt8]) throws(ProtobufReader.Malformed) {
    var reader = ProtobufReader(set)
    while let (number, value) = try reader.next() {
      if number == 1 { try add(value.slice) }
    }
  }

  /// The file with that name, then all that it imports, each once; `nil` for an unknown name.
  func file(named name: String) -> [[UInt8]]? {
    guard files[name] != nil else { return nil }
    var names = [name]
    var found: [[UInt8]] = []
    var seen: Set = [name]
    while let next = names.popLast() {
      guard let file = files[next] else { continue }
      found.append(file.bytes)
      names += file.dependencies.filter { seen.insert($0).inserted }
    }
    return found
  }

  /// The file that defines a message, field, enum, value, service, method or extension.
  func file(defining symbol: String) -> [[UInt8]]? {
    fileOfSymbol[symbol].flatMap { file(named: $0) }
  }

  func file(extending type: String, by number: Int32) -> [[UInt8]]? {
    extensions[type]?[number].flatMap { file(named: $0) }
  }

  /// Ascending; `nil` for a type that is not known.
  func extensionNumbers(of type: String) -> [Int32]? {
    guard fileOfSymbol[type] != nil else { return nil }
    return (extensions[type] ?? [:]).keys.sorted()
  }

  // MARK: Reading

  /// A `FileDescriptorProto`.
  private mutating func add(_ bytes: ArraySlice<UInt8>) throws(ProtobufReader.Malformed) {
    var file = File(bytes: Array(bytes))
    let name = try Self.string(1, in: bytes)
    let package = try Self.string(2, in: bytes)
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      switch number {
      case 3: file.dependencies.append(try value.string)
      case 4: try addMessage(value.slice, in: package, name)
      case 5: try addEnum(value.slice, in: package, name)
      case 6: try addService(value.slice, in: package, name)
      case 7: try addExtension(value.slice, in: package, name)
      default: break
      }
    }
    files[name] = file
  }

  /// A `DescriptorProto`.
  private mutating func addMessage(
    _ bytes: ArraySlice<UInt8>,
    in scope: String,
    _ file: String
  ) throws(ProtobufReader.Malformed) {
    let name = try define(bytes, in: scope, file)
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      switch number {
      case 2, 8: _ = try define(value.slice, in: name, file)  // fields, oneofs
      case 3: try addMessage(value.slice, in: name, file)
      case 4: try addEnum(value.slice, in: name, file)
      case 6: try addExtension(value.slice, in: name, file)
      default: break
      }
    }
  }

  /// An `EnumDescriptorProto`. Its values are in the scope around it, as in C++.
  private mutating func addEnum(
    _ bytes: ArraySlice<UInt8>,
    in scope: String,
    _ file: String
  ) throws(ProtobufReader.Malformed) {
    _ = try define(bytes, in: scope, file)
    try defineParts(of: bytes, in: scope, file)
  }

  /// A `ServiceDescriptorProto`.
  private mutating func addService(
    _ bytes: ArraySlice<UInt8>,
    in scope: String,
    _ file: String
  ) throws(ProtobufReader.Malformed) {
    try defineParts(of: bytes, in: define(bytes, in: scope, file), file)
  }

  /// An enum's values and a service's methods have the same number.
  private mutating func defineParts(
    of bytes: ArraySlice<UInt8>,
    in scope: String,
    _ file: String
  ) throws(ProtobufReader.Malformed) {
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      if number == 2 { _ = try define(value.slice, in: scope, file) }
    }
  }

  /// A `FieldDescriptorProto` outside its message.
  private mutating func addExtension(
    _ bytes: ArraySlice<UInt8>,
    in scope: String,
    _ file: String
  ) throws(ProtobufReader.Malformed) {
    _ = try define(bytes, in: scope, file)
    let type = try Self.string(2, in: bytes).drop { $0 == "." }  // fully qualified
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      if number == 3 { extensions[String(type), default: [:]][value.int32] = file }
    }
  }

  /// Notes where a thing is defined: each kind's first field is its name.
  ///
  /// - Returns: the full name.
  private mutating func define(
    _ bytes: ArraySlice<UInt8>,
    in scope: String,
    _ file: String
  ) throws(ProtobufReader.Malformed) -> String {
    let name = try Self.string(1, in: bytes)
    let fullName = scope.isEmpty ? name : "\(scope).\(name)"
    fileOfSymbol[fullName] = file
    return fullName
  }

  private static func string(
    _ wanted: Int,
    in bytes: ArraySlice<UInt8>
  ) throws(ProtobufReader.Malformed) -> String {
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      if number == wanted { return try value.string }
    }
    return ""
  }
}
