/// Keys that must be refused, made with the openssl command for these tests and used nowhere else.
enum Samples {
  /// P-256, encrypted with AES-128.
  static let encryptedKey = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiEqnLDbdSTAwICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEHbzxH7NvzgYDv/W5KlSfuwEgZAj
    qP0hX982tTRFIx90qekabIQdBcotV3Aw8eGMflahKvFT7TEyl3tiokyvEQLpI2Jt
    ih58ageOhjxPkEFnT+gaFeBdMuQ/QK0IeDa9lIiJiohNepyc9aeUJoGPuPz9eIOD
    Di9xr7sSFuwyt6CF1Y5X1lROcG+A4/4xBKSFhNI8xCbaOYKRFqdHG508hGSjkbs=
    -----END ENCRYPTED PRIVATE KEY-----
    """

  static let rsa1024 = """
    -----BEGIN PRIVATE KEY-----
    MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAM43qTA2Kvt9Xs77
    rVS4hkqBRbzLWQu8L4gZK1CHDGUkU6pbOE7bL6hgzC0gckWyqCE42b64BetmAaNP
    DG3qB86Nb1Pod05PSvn67MIlBnTVCBN0VroUXk8RRS6r+Dm6ggM7MiQy4P7T0n7E
    fCq0zn2RmjR6+CGJ8J5GalqZAOZ3AgMBAAECgYBw/zD3GQdubOExm9j7jm0PkExt
    SiPN+V02P0xrwMR6+2/Y7kkpdJNluTzIEXpsVJwqMCOojN+5gFivatZNuCpz9/Pi
    4IiYJokmSjJ1iMaW8B4PEM9hKqGOtA3yiVu8l8yINCdX7Lg4q+G4QXXzXPVIk8Kx
    peFSiaCgQsZnlNL1AQJBAP+K9e+Kx8pp4pXhdISNkEcWYuQM+9/S4mG6lYOBP8Et
    ObTbR9KapPoDcSRSVi5uuGv277n/tsRB0HddemfKpvcCQQDOlhvqHTsyJ8CtpR1e
    6l66k771HRwykmpbfS2DEaucb4467XnoCl/H+/Ly2R6xYmAaoQqfOvQmgQ9E5ALk
    rlyBAkBYSjesmqNqsOjDZhDu10ZY+UgTiNThQShMIb4UoGxZnvmIHhcTkbCcXOIT
    bYsvIbwAOWIcPlh0OFUBWL+46pCDAkA0G/MQm6z52sMkSdjdvzqDz47EX0Jkk0AW
    sb2QKR3jiNQUkyBD4pIEbM38ab3vOoRJU0PNpF4/dCB43RbJvh2BAkEAhNq97x4m
    qFUldPp/nqOEq+PEiVj6FGyf38ShaF343bSFxO6jcMSQGBzAolw4VOpw/Qvv5nE1
    0kfqPAJF8VJH9Q==
    -----END PRIVATE KEY-----
    """

  static let p224 = """
    -----BEGIN EC PRIVATE KEY-----
    MGgCAQEEHKkrnFfH44b0sd4H49Z9UPEdW6kmEHBHNCb4Pe+gBwYFK4EEACGhPAM6
    AAROA8GpJwbW3lJTceqCQbwLGCBPNHRUjLgUS3frZVZNEIj8YaeOYefzeNM2+FH4
    qvkSKwcrBcontQ==
    -----END EC PRIVATE KEY-----
    """

  /// PKCS #10 in DER, in base64, signed by `rsa1024`.
  static let weakRequest = """
    MIIBSzCBtQIBADAMMQowCAYDVQQDDAF4MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB\
    iQKBgQDON6kwNir7fV7O+61UuIZKgUW8y1kLvC+IGStQhwxlJFOqWzhO2y+oYMwt\
    IHJFsqghONm+uAXrZgGjTwxt6gfOjW9T6HdOT0r5+uzCJQZ01QgTdFa6FF5PEUUu\
    q/g5uoIDOzIkMuD+09J+xHwqtM59kZo0evghifCeRmpamQDmdwIDAQABoAAwDQYJ\
    KoZIhvcNAQELBQADgYEATg76ty+qYYbkXEJoXaXrT2UrMXZTbMssUAHyvL7f0mmi\
    fjh0Rh+OV+4y+DC+TttL2obmfgNOLQNVnh7ItsoD2plgdJYmZb2XhF3qc/fejLdh\
    FaZAtkNA214Xv5lfJAqTKgdmgn8TSfExe3/U0mdYPYAR9pVq1eWaofYKxUrNzk8=
    """
}
