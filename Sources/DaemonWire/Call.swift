internal import WireC

/// A byte stream of a call. Positions in each are absolute, from 0.
package enum Stream: RawRepresentable, Equatable, Sendable {
  case unspecified
  /// To the tool.
  case stdin
  /// From the tool.
  case stdout
  /// From the tool.
  case stderr
  /// From the tool; with a terminal it replaces both outputs.
  case pty
  /// To the daemon: a request too large for its offer.
  case request
  /// A value that this generation does not know.
  case unrecognized(Int32)

  package init(rawValue: Int32) {
    switch rawValue {
    case 0: self = .unspecified
    case 1: self = .stdin
    case 2: self = .stdout
    case 3: self = .stderr
    case 4: self = .pty
    case 5: self = .request
    default: self = .unrecognized(rawValue)
    }
  }

  package var rawValue: Int32 {
    switch self {
    case .unspecified: 0
    case .stdin: 1
    case .stdout: 2
    case .stderr: 3
    case .pty: 4
    case .request: 5
    case .unrecognized(let rawValue): rawValue
    }
  }
}

/// Some bytes of one stream. The message a relay forwards as it stands, so it has
/// scalars and bytes only, each field once, in any order, and nothing unknown.
package struct Chunk: WireMessage {
  package var stream: Stream
  /// Position of the first byte of `data`. A receiver refuses a wrong one.
  package var offset: UInt64
  /// 1 byte to 64 KiB.
  package var data: [UInt8]

  package init(stream: Stream = .unspecified, offset: UInt64 = 0, data: [UInt8] = []) {
    self.stream = stream
    self.offset = offset
    self.data = data
  }
}

extension Chunk: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__chunk__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Chunk.self)
    stream = unsafe .init(rawValue: Int32(bitPattern: c.stream.rawValue))
    offset = unsafe c.offset
    data = unsafe Copy.blob(c.data)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Chunk.self)
    unsafe c.pointee.stream = .init(UInt32(bitPattern: stream.rawValue))
    unsafe c.pointee.offset = offset
    unsafe c.pointee.data = arena.blob(data)
  }
}

/// Bytes that are lost: never sent, or dropped by an output rule.
package struct Gap: WireMessage {
  package var stream: Stream
  /// First lost byte.
  package var offset: UInt64
  /// Bytes.
  package var length: UInt64

  package init(stream: Stream = .unspecified, offset: UInt64 = 0, length: UInt64 = 0) {
    self.stream = stream
    self.offset = offset
    self.length = length
  }
}

extension Gap: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__gap__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Gap.self)
    stream = unsafe .init(rawValue: Int32(bitPattern: c.stream.rawValue))
    offset = unsafe c.offset
    length = unsafe c.length
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Gap.self)
    unsafe c.pointee.stream = .init(UInt32(bitPattern: stream.rawValue))
    unsafe c.pointee.offset = offset
    unsafe c.pointee.length = length
  }
}

/// A position in one stream.
package struct StreamOffset: WireMessage {
  package var stream: Stream
  /// Bytes before it.
  package var offset: UInt64

  package init(stream: Stream = .unspecified, offset: UInt64 = 0) {
    self.stream = stream
    self.offset = offset
  }
}

extension StreamOffset: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__stream_offset__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__StreamOffset.self)
    stream = unsafe .init(rawValue: Int32(bitPattern: c.stream.rawValue))
    offset = unsafe c.offset
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__StreamOffset.self)
    unsafe c.pointee.stream = .init(UInt32(bitPattern: stream.rawValue))
    unsafe c.pointee.offset = offset
  }
}

/// Everything before these positions has arrived and need not be kept.
package struct Ack: WireMessage {
  package var offsets: [StreamOffset]

  package init(offsets: [StreamOffset] = []) {
    self.offsets = offsets
  }
}

extension Ack: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__ack__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Ack.self)
    offsets = unsafe Copy.messages(c.n_offsets, c.offsets)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Ack.self)
    unsafe (c.pointee.n_offsets, c.pointee.offsets) = try arena.messages(offsets)
  }
}

/// The totals of one output stream, as the daemon counted them.
package struct StreamTotal: WireMessage {
  package var stream: Stream
  /// Produced, lost ones included.
  package var bytes: UInt64
  /// Of all bytes produced; 32 bytes.
  package var sha256: [UInt8]

  package init(stream: Stream = .unspecified, bytes: UInt64 = 0, sha256: [UInt8] = []) {
    self.stream = stream
    self.bytes = bytes
    self.sha256 = sha256
  }
}

extension StreamTotal: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__stream_total__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__StreamTotal.self)
    stream = unsafe .init(rawValue: Int32(bitPattern: c.stream.rawValue))
    bytes = unsafe c.bytes
    sha256 = unsafe Copy.blob(c.sha256)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__StreamTotal.self)
    unsafe c.pointee.stream = .init(UInt32(bitPattern: stream.rawValue))
    unsafe c.pointee.bytes = bytes
    unsafe c.pointee.sha256 = arena.blob(sha256)
  }
}

/// How a call ended. Different things, never guessed.
package enum Outcome: RawRepresentable, Equatable, Sendable {
  case unspecified
  /// The tool ran to its end. `Exit.code` says how; see there.
  case exited
  /// The command died of a signal that this call did not order.
  case signalled
  /// The command could not be started: `Exit.error` says why.
  case spawnFailed
  /// The deadline passed; the tree of processes was killed and is gone.
  case timedOut
  /// Cancelled on request, or by the workspace's own side: then `Exit.error` says
  /// why. The tree of processes is gone.
  case cancelled
  /// Nothing was started: by policy, admission or the daemon.
  case refused
  /// Nobody can say whether it ran or how it ended.
  case lost
  /// A value that this generation does not know.
  case unrecognized(Int32)

  package init(rawValue: Int32) {
    switch rawValue {
    case 0: self = .unspecified
    case 1: self = .exited
    case 2: self = .signalled
    case 3: self = .spawnFailed
    case 4: self = .timedOut
    case 5: self = .cancelled
    case 6: self = .refused
    case 7: self = .lost
    default: self = .unrecognized(rawValue)
    }
  }

  package var rawValue: Int32 {
    switch self {
    case .unspecified: 0
    case .exited: 1
    case .signalled: 2
    case .spawnFailed: 3
    case .timedOut: 4
    case .cancelled: 5
    case .refused: 6
    case .lost: 7
    case .unrecognized(let rawValue): rawValue
    }
  }
}

/// Why a tool, or a start, failed. Codes are stable, for programs.
package struct ToolError: WireMessage {
  /// One of: not_found, permission_denied, outside_root, is_directory,
  /// not_directory, not_executable, exists, stale, no_match, ambiguous_match,
  /// invalid_argument, too_large, unknown_tool, unsupported, unavailable,
  /// overloaded, digest_mismatch, no_space, internal.
  package var code: String
  /// For people: names the thing and the remedy.
  package var message: String
  /// `stale`: the current digest. Empty elsewhere.
  package var currentSha256: [UInt8]

  package init(code: String = "", message: String = "", currentSha256: [UInt8] = []) {
    self.code = code
    self.message = message
    self.currentSha256 = currentSha256
  }
}

extension ToolError: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__tool_error__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__ToolError.self)
    code = unsafe Copy.text(c.code)
    message = unsafe Copy.text(c.message)
    currentSha256 = unsafe Copy.blob(c.current_sha256)
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__ToolError.self)
    unsafe c.pointee.code = try arena.text(code)
    unsafe c.pointee.message = try arena.text(message)
    unsafe c.pointee.current_sha256 = arena.blob(currentSha256)
  }
}

/// The end of a call: its last message.
package struct Exit: WireMessage {
  package var outcome: Outcome
  /// `EXITED`: the command's exit code (0…255). For a tool that is no command:
  /// 0 with `response`, or 1 with `error`.
  package var code: Int32
  /// `SIGNALLED`: the signal's number on Linux.
  package var signal: Int32
  /// The tool's answer, e.g. a `ReadResponse`. At most 1 MiB less its envelope.
  package var response: [UInt8]
  package var error: ToolError?
  package var totals: [StreamTotal]
  /// From start to end in the workspace, in microseconds; 0 when it never ran.
  package var durationUs: UInt64
  /// `LOST`, and ends by force: whether the processes are known to be gone.
  package var treeGone: Bool

  package init(
    outcome: Outcome = .unspecified,
    code: Int32 = 0,
    signal: Int32 = 0,
    response: [UInt8] = [],
    error: ToolError? = nil,
    totals: [StreamTotal] = [],
    durationUs: UInt64 = 0,
    treeGone: Bool = false
  ) {
    self.outcome = outcome
    self.code = code
    self.signal = signal
    self.response = response
    self.error = error
    self.totals = totals
    self.durationUs = durationUs
    self.treeGone = treeGone
  }
}

extension Exit: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__exit__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Exit.self)
    outcome = unsafe .init(rawValue: Int32(bitPattern: c.outcome.rawValue))
    code = unsafe c.code
    signal = unsafe c.signal
    response = unsafe Copy.blob(c.response)
    error = unsafe Copy.message(c.error)
    totals = unsafe Copy.messages(c.n_totals, c.totals)
    durationUs = unsafe c.duration_us
    treeGone = unsafe c.tree_gone != 0
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Exit.self)
    unsafe c.pointee.outcome = .init(UInt32(bitPattern: outcome.rawValue))
    unsafe c.pointee.code = code
    unsafe c.pointee.signal = signal
    unsafe c.pointee.response = arena.blob(response)
    unsafe c.pointee.error = try arena.message(error)
    unsafe (c.pointee.n_totals, c.pointee.totals) = try arena.messages(totals)
    unsafe c.pointee.duration_us = durationUs
    unsafe c.pointee.tree_gone = treeGone ? 1 : 0
  }
}

/// A signal for a call's process group.
package struct Signal: WireMessage {
  /// Linux number, 1…64.
  package var number: Int32

  package init(number: Int32 = 0) {
    self.number = number
  }
}

extension Signal: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__signal__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Signal.self)
    number = unsafe c.number
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Signal.self)
    unsafe c.pointee.number = number
  }
}

/// A new size for the call's terminal, in character cells.
package struct Resize: WireMessage {
  /// 1…65535.
  package var columns: UInt32
  /// 1…65535.
  package var rows: UInt32

  package init(columns: UInt32 = 0, rows: UInt32 = 0) {
    self.columns = columns
    self.rows = rows
  }
}

extension Resize: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__resize__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__Resize.self)
    columns = unsafe c.columns
    rows = unsafe c.rows
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__Resize.self)
    unsafe c.pointee.columns = columns
    unsafe c.pointee.rows = rows
  }
}

/// No more bytes will come on stdin.
package struct CloseStdin: WireMessage {
  /// Its whole length in bytes.
  package var offset: UInt64

  package init(offset: UInt64 = 0) {
    self.offset = offset
  }
}

extension CloseStdin: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__close_stdin__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__CloseStdin.self)
    offset = unsafe c.offset
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__CloseStdin.self)
    unsafe c.pointee.offset = offset
  }
}

/// What to do with output that nobody took yet.
package struct OutputRule: WireMessage {
  /// What happens when the daemon's buffer is full.
  package enum WhenFull: RawRepresentable, Equatable, Sendable {
    /// BLOCK.
    case unspecified
    /// The command waits at its pipe.
    case block
    /// The oldest bytes become a `Gap`.
    case dropOldest
    /// More goes to disk, up to `spillBytes`; then BLOCK.
    case spill
    /// A value that this generation does not know.
    case unrecognized(Int32)

    package init(rawValue: Int32) {
      switch rawValue {
      case 0: self = .unspecified
      case 1: self = .block
      case 2: self = .dropOldest
      case 3: self = .spill
      default: self = .unrecognized(rawValue)
      }
    }

    package var rawValue: Int32 {
      switch self {
      case .unspecified: 0
      case .block: 1
      case .dropOldest: 2
      case .spill: 3
      case .unrecognized(let rawValue): rawValue
      }
    }
  }

  package var whenFull: WhenFull
  /// The daemon's buffer for each output, in bytes; 0: 1 MiB. 64 KiB … 4 MiB.
  package var ringBytes: UInt32
  /// `spill`: bytes of each output beyond the ring; 0: 64 MiB. At most 1 GiB.
  package var spillBytes: UInt64

  package init(
    whenFull: WhenFull = .unspecified,
    ringBytes: UInt32 = 0,
    spillBytes: UInt64 = 0
  ) {
    self.whenFull = whenFull
    self.ringBytes = ringBytes
    self.spillBytes = spillBytes
  }
}

extension OutputRule: Twinned {
  static func makeTwin(in arena: Arena) -> UnsafeMutableRawPointer {
    unsafe arena.make(gatehouse__tools__v1__output_rule__init)
  }

  init(twin: UnsafeRawPointer) {
    let c = unsafe twin.load(as: Gatehouse__Tools__V1__OutputRule.self)
    whenFull = unsafe .init(rawValue: Int32(bitPattern: c.when_full.rawValue))
    ringBytes = unsafe c.ring_bytes
    spillBytes = unsafe c.spill_bytes
  }

  func fill(_ twin: UnsafeMutableRawPointer, from arena: Arena) throws(WireError) {
    let c = unsafe twin.assumingMemoryBound(to: Gatehouse__Tools__V1__OutputRule.self)
    unsafe c.pointee.when_full = .init(UInt32(bitPattern: whenFull.rawValue))
    unsafe c.pointee.ring_bytes = ringBytes
    unsafe c.pointee.spill_bytes = spillBytes
  }
}
