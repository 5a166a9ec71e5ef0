package import Sandbox

/// All that a supervisor needs to know to run one command. Given to it as a memory file, since
/// arguments may be larger than a socket's message.
package struct SupervisorPlan: Equatable, Sendable {
  /// What a daemon must show to take over the supervisor: 16 random bytes. A command could reach
  /// the supervisor's socket, but cannot read where the daemon keeps this.
  package var key: [UInt8]
  /// Program and arguments, at least one.
  package var arguments: [[UInt8]]
  /// `NAME=value`.
  package var environment: [[UInt8]]
  /// A terminal instead of pipes.
  package var terminal: TerminalSize?
  /// Without it stdin is the null device.
  package var hasInput: Bool
  /// What the command may see; `nil`: the kernel has no Landlock.
  package var view: FileView?
  /// How many descriptors the command may have open before it asks for more (`DescriptorLimit`).
  package var descriptorLimit: UInt64

  package init(
    key: [UInt8],
    arguments: [[UInt8]],
    environment: [[UInt8]],
    terminal: TerminalSize? = nil,
    hasInput: Bool = false,
    view: FileView? = nil,
    descriptorLimit: UInt64
  ) {
    self.key = key
    self.arguments = arguments
    self.environment = environment
    self.terminal = terminal
    self.hasInput = hasInput
    self.view = view
    self.descriptorLimit = descriptorLimit
  }

  static let maxBytes = 8 << 20

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.put(SupervisorProtocol.version)
    writer.put(key)
    writer.put(arguments)
    writer.put(environment)
    writer.put(hasInput)
    writer.put(terminal?.columns ?? 0)
    writer.put(terminal?.rows ?? 0)
    writer.put(descriptorLimit)
    writer.put(view != nil)
    writer.put(view?.hidden ?? [])
    writer.put(view?.writable ?? [])
    writer.put(view?.devices ?? [])
    return writer.bytes
  }

  /// - Throws: `SupervisorProtocol.OtherVersion`, `ByteReader.Malformed`.
  init(decoding bytes: [UInt8]) throws {
    var reader = ByteReader(bytes)
    try SupervisorProtocol.check(&reader)
    key = try reader.getBytes()
    arguments = try reader.getList()
    environment = try reader.getList()
    hasInput = try reader.getBool()
    let size = TerminalSize(
      columns: try reader.get(UInt16.self),
      rows: try reader.get(UInt16.self)
    )
    terminal = size.columns == 0 ? nil : size
    descriptorLimit = try reader.get(UInt64.self)
    let isConfined = try reader.getBool()
    let view = FileView(
      hidden: try reader.getStrings(),
      writable: try reader.getStrings(),
      devices: try reader.getStrings()
    )
    self.view = isConfined ? view : nil
    try reader.end()
    guard !arguments.isEmpty else { throw ByteReader.Malformed() }
  }
}
