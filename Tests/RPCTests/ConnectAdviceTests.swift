import RPC
import Testing

@Suite struct `Advice for who did not reach a plane` {
  private static let reasons: [(RPCStatus, String?)] = [
    (
      RPCStatus(.unavailable, "the certificate was rejected: IP address mismatch"),
      "start the plane with --host 10.0.0.1"
    ),
    (
      RPCStatus(.unavailable, "the certificate was rejected: hostname mismatch"),
      "start the plane with --host 10.0.0.1"
    ),
    (
      RPCStatus(.unavailable, "rejected: unable to get local issuer certificate"),
      "ca.pem is of another plane; take client/ca.pem of this one's state folder"
    ),
    (
      RPCStatus(.unavailable, "TLS read: tlsv13 alert certificate required"),
      "this is the plane's mutual listener; --enroll-address is the open one"
    ),
    (
      RPCStatus(.unimplemented, "there is no method /a.B/C on this port"),
      "is it the plane's open listener? --plane is the mutual one"
    ),
    (RPCStatus(.unavailable, "Connection refused"), nil),
  ]

  @Test(arguments: reasons)
  func `names what to mend`(status: RPCStatus, remedy: String?) {
    #expect(status.remedy(dialling: "10.0.0.1") == remedy)
  }
}
