internal import Glibc

/// Arrays of C strings, as `posix_spawn` takes them.
enum CStrings {
  /// Lends `strings` as a null-terminated array. A NUL would end a string early, so none may be in.
  @unsafe static func lend<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    precondition(strings.allSatisfy { !$0.utf8.contains(0) }, "a NUL in an argument")
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe []
    for string in strings { unsafe pointers.append(strdup(string)) }
    defer { unsafe pointers.forEach { unsafe free($0) } }
    unsafe pointers.append(nil)
    return unsafe pointers.withUnsafeBufferPointer { pointers in
      guard let base = pointers.baseAddress else { preconditionFailure("never empty") }
      return unsafe body(base)
    }
  }
}
