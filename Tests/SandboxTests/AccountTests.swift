import Testing

@testable import Sandbox

@Suite struct `An account` {
  let passwd = """
    root:x:0:0:root:/root:/bin/sh
    # no line of five fields
    broken:x:1000:1000
    ann:x:1000:1000:Ann,,,:/home/ann:/bin/bash
    bob:x:1001:1001:::/bin/sh

    """

  @Test func `is what the user database says`() {
    let account = Account(user: 1_000, passwd: passwd, environment: ["HOME": "/x", "USER": "y"])
    #expect(account == Account(name: "ann", home: "/home/ann"))
  }

  @Test func `without a home has the root folder`() {
    #expect(Account(user: 1_001, passwd: passwd, environment: [:]).home == "/")
  }

  @Test func `that is kept elsewhere is what the environment says`() {
    let environment = ["HOME": "/home/eve", "USER": "eve"]
    let account = Account(user: 7, passwd: passwd, environment: environment)
    #expect(account == Account(name: "eve", home: "/home/eve"))
  }

  @Test func `that nobody knows is a number`() {
    #expect(Account(user: 7, passwd: "", environment: [:]) == Account(name: "7", home: "/"))
  }
}
