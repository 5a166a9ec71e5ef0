/// Lends byte strings to C as a NULL-ended array of NUL-ended strings.
func withCStrings<Result>(
  _ strings: [[UInt8]],
  _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
  var flat: [CChar] = []
  for string in strings { flat += string.map { CChar(truncatingIfNeeded: $0) } + [0] }
  flat.append(0)
  return unsafe flat.withUnsafeBufferPointer { flat in
    guard let base = flat.baseAddress else { preconditionFailure("never empty") }
    var starts = [0]
    for string in strings { starts.append((starts.last ?? 0) + string.count + 1) }
    var pointers: [UnsafePointer<CChar>?] = unsafe starts.dropLast().map { unsafe base + $0 }
    unsafe pointers.append(nil)
    return unsafe pointers.withUnsafeBufferPointer { pointers in
      guard let pointers = pointers.baseAddress else { preconditionFailure("never empty") }
      return unsafe body(pointers)
    }
  }
}
