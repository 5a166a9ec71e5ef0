internal import CPCRE2

/// A compiled regular expression (PCRE2) that cannot run away: matching has limits on steps, depth
/// and memory. Owns a `pcre2_code` and the data of one match, so it is used by one thread at a time.
@safe package struct Pattern: ~Copyable {
  private let code: OpaquePointer
  private let data: OpaquePointer
  private let context: OpaquePointer

  /// Backtracking steps in one match: about 50 ms of the slowest pattern.
  package static let maxSteps: UInt32 = 1_000_000
  /// Memory of one match, in KiB.
  package static let maxHeap: UInt32 = 16 * 1_024

  /// Compiles PCRE2 syntax, or a pattern that is the text itself when `literal`. With `ignoreCase`
  /// letters match in either case, as Unicode folds them.
  package init(_ pattern: String, literal: Bool, ignoreCase: Bool) throws(PatternError) {
    var options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF
    // A literal takes no `\C`, and PCRE2 refuses the pair.
    options |= literal ? PCRE2_LITERAL : PCRE2_NEVER_BACKSLASH_C
    if ignoreCase { options |= PCRE2_CASELESS }
    var error: Int32 = 0
    var offset = 0
    let units = Array(pattern.utf8)
    guard
      let code = unsafe pcre2_compile_8(units, units.count, options, &error, &offset, nil)
    else { throw PatternError(code: error, offset: offset) }
    guard let data = unsafe pcre2_match_data_create_from_pattern_8(code, nil),
      let context = unsafe pcre2_match_context_create_8(nil)
    else { preconditionFailure("out of memory") }
    unsafe pcre2_set_match_limit_8(context, Self.maxSteps)
    unsafe pcre2_set_depth_limit_8(context, Self.maxSteps)
    unsafe pcre2_set_heap_limit_8(context, Self.maxHeap)
    unsafe (self.code, self.data, self.context) = (code, data, context)
  }

  deinit {
    unsafe pcre2_match_context_free_8(context)
    unsafe pcre2_match_data_free_8(data)
    unsafe pcre2_code_free_8(code)
  }

  package enum OnMatch: Equatable, Sendable {
    /// Position of the first matching byte.
    case found(Int)
    case none
    /// A limit was hit: nobody knows whether it matches.
    case limited
  }

  /// Looks for the first match. `text` need not be UTF-8.
  package func firstMatch(in text: Span<UInt8>) -> OnMatch {
    let result = unsafe text.withUnsafeBufferPointer { text in
      unsafe pcre2_match_8(code, text.baseAddress, text.count, 0, 0, data, context)
    }
    if result == PCRE2_ERROR_NOMATCH { return .none }
    guard result >= 0, let vector = unsafe pcre2_get_ovector_pointer_8(data) else {
      return .limited
    }
    return unsafe .found(vector[0])
  }
}

/// A pattern that cannot be compiled.
package struct PatternError: Error, Equatable, CustomStringConvertible {
  /// One of PCRE2's compile errors.
  package let code: Int32
  /// Where, in bytes from the pattern's start.
  package let offset: Int

  package var description: String {
    var text = [UInt8](repeating: 0, count: 256)
    let count = unsafe pcre2_get_error_message_8(code, &text, text.count)
    return "\(String(decoding: text.prefix(Int(max(0, count))), as: UTF8.self)) at byte \(offset)"
  }
}
