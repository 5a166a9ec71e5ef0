package import EventLoop
internal import FoundationEssentials
internal import Host

/// Where the plane is, and who we are to it.
package struct ClientSettings: Sendable {
  package let plane: HostPort
  let certificatePEM: String
  let keyPEM: String
  let authoritiesPEM: String

  /// What a person gave on the command line; the rest comes from the environment and files.
  package struct Given: Sendable {
    package var plane: String?
    /// A plane's state folder on this machine: its admin is who we are.
    package var state: String?

    package init(plane: String? = nil, state: String? = nil) {
      self.plane = plane
      self.state = state
    }
  }

  /// In this order: what was given, `GATEHOUSE_PLANE`, `GATEHOUSE_CERT`, `GATEHOUSE_KEY` and
  /// `GATEHOUSE_CA`, then the files `plane`, `cert.pem`, `key.pem` and `ca.pem` in the folder
  /// `client` of the given state folder, or in `~/.config/gatehouse`, or, where that has none, in the
  /// folder `client` of where a plane keeps its state unless told.
  ///
  /// - Throws: `ClientError`, naming the file that is missing.
  package static func find(_ given: Given) throws(ClientError) -> ClientSettings {
    let folder = given.state.map { "\($0)/client" } ?? identityFolder
    // A state folder that was named goes before the environment.
    let usesEnvironment = given.state == nil
    func text(_ variable: String, _ file: String) throws(ClientError) -> String {
      let named = usesEnvironment ? ThisProcess.variable(variable) : nil
      return try read(named ?? "\(folder)/\(file)", variable: variable)
    }
    return ClientSettings(
      plane: try address(given, folder, usesEnvironment: usesEnvironment),
      certificatePEM: try text("GATEHOUSE_CERT", "cert.pem"),
      keyPEM: try text("GATEHOUSE_KEY", "key.pem"),
      authoritiesPEM: try text("GATEHOUSE_CA", "ca.pem")
    )
  }

  /// `$XDG_CONFIG_HOME/gatehouse`, else `~/.config/gatehouse`.
  package static var configurationFolder: String {
    let home = ThisProcess.variable("HOME") ?? ""
    return (ThisProcess.variable("XDG_CONFIG_HOME") ?? "\(home)/.config") + "/gatehouse"
  }

  /// Where an identity is that nobody named.
  private static var identityFolder: String {
    let local = "\(StateFolder.usual)/client"
    return [configurationFolder, local].first { holdsIdentity($0) } ?? configurationFolder
  }

  private static func holdsIdentity(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(folder)/cert.pem")
  }

  private static func address(
    _ given: Given,
    _ folder: String,
    usesEnvironment: Bool
  ) throws(ClientError) -> HostPort {
    let variable = usesEnvironment ? ThisProcess.variable("GATEHOUSE_PLANE") : nil
    let file = FileManager.default.contents(atPath: "\(folder)/plane")
      .map { String(decoding: $0, as: UTF8.self).prefix { !$0.isNewline } }
    let text = given.plane ?? variable ?? file.map(String.init) ?? "127.0.0.1:7443"
    guard let address = HostPort(text) else {
      throw ClientError("the plane's address '\(text)' is not HOST:PORT")
    }
    return address
  }

  private static func read(_ path: String, variable: String) throws(ClientError) -> String {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw ClientError(
        "no client identity: cannot read \(path); use --state DIR of a plane on this machine, "
          + "or set \(variable)"
      )
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
