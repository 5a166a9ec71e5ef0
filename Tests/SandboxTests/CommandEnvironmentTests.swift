import Testing

@testable import Sandbox

@Suite struct `The environment of a command` {
  let account = Account(name: "ann", home: "/home/ann")

  func entries(_ environment: CommandEnvironment) -> [String] {
    environment.entries.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `takes allowed variables only`() {
    let environment = CommandEnvironment(
      from: ["PATH": "/bin", "OPENAI_API_KEY": "marker", "LD_PRELOAD": "x", "TZ": "UTC"],
      account: account
    )
    #expect(
      entries(environment) == [
        "HOME=/home/ann", "LANG=C.UTF-8", "PATH=/bin", "TERM=dumb", "TZ=UTC", "USER=ann",
      ]
    )
  }

  @Test func `lets a request replace a variable`() {
    var environment = CommandEnvironment(from: [:], account: account)
    environment.set("HOME", to: "/tmp")
    #expect(environment.variables["HOME"] == "/tmp")
  }

  @Test func `asks nobody when it is not interactive`() {
    var environment = CommandEnvironment(from: [:], account: account)
    environment.makeNonInteractive()
    #expect(environment.variables["PAGER"] == "cat")
    #expect(environment.variables["GIT_TERMINAL_PROMPT"] == "0")
    #expect(environment.variables["CI"] == "true")
  }

  @Test(arguments: ["", "A=B", "A\0"]) func `has no such name`(name: String) {
    #expect(!CommandEnvironment.isName(name))
  }
}
