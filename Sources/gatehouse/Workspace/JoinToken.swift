internal import EventLoop

/// What to do with a join token, for people.
enum JoinToken {
  static func show(_ token: String, enrollingAt address: String) throws {
    try DataOutput.line("token  \(token)")
    Talk.say(
      """
      within ten minutes, on its machine, with this token in a file, and client/ca.pem of the plane's \
      state folder:
        gatehouse-toold --state DIR --root DIR --ca ca.pem --token-file FILE \
      --enroll-address \(address)
      """
    )
    if HostPort(address)?.isLoopback == true {
      Talk.say(
        """
        no other machine reaches \(address); for that, start the plane with
          --host NAME --listen 0.0.0.0:7443 --listen-open 0.0.0.0:7444
        """
      )
    }
  }
}
