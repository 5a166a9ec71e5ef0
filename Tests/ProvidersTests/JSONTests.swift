import Testing

@testable import Providers

@Suite struct JSONTests {
  @Test(arguments: [
    #"{"a":[1,-2.5e3,true,false,null,"x\n\"\\\u0001é"],"b":{}}"#, "[]", "0", #""""#,
  ])
  func `compact text comes back as it was`(text: String) throws {
    #expect(try JSON(parsing: text).text == text)
  }

  @Test func `escapes are read`() throws {
    #expect(try JSON(parsing: #""\u00e9\ud83d\ude00\/\b\ud83dx""#) == "é😀/\u{8}\u{FFFD}x")
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\"}", "01", "1.", "-", "tru", "\"\n\"", #""\q""#, #""\u12g4""#, "1 2",
    "{'a':1}", "\"open",
  ])
  func `what is no JSON is refused`(text: String) {
    #expect(throws: JSONError.self) { try JSON(parsing: text) }
  }

  @Test func `a text cut anywhere is refused`() {
    let text = #"{"a":[1,{"b":"c\u00e9"}],"d":null}"#
    for length in 0..<text.utf8.count {
      let cut = String(decoding: Array(text.utf8)[..<length], as: UTF8.self)
      #expect(throws: JSONError.self, "\(cut)") { try JSON(parsing: cut) }
    }
  }

  @Test func `a key twice is refused where that is asked`() throws {
    let text = #"{"a":1,"a":2}"#
    #expect(try JSON(parsing: text)["a"] == 2)
    #expect(throws: JSONError(offset: 7, reason: "the key \"a\" a second time")) {
      try JSON(parsing: text, duplicateKeys: .refuse)
    }
  }

  @Test func `depth is bounded`() {
    let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
    #expect(throws: JSONError.self) { try JSON(parsing: deep) }
  }

  @Test(arguments: [("2", 2), ("2.0", 2), ("2e1", 20), ("2.5", nil), ("99999999999999999999", nil)])
  func `whole numbers are integers`(text: String, value: Int?) throws {
    #expect(try JSON(parsing: text).integer == value)
  }
}
