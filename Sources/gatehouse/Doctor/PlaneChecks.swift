internal import Client
internal import Host
internal import Wire

/// Who we are to the plane, and whether it answers.
struct PlaneChecks: Sendable {
  let given: ClientSettings.Given
  /// A person named the state folder, and looks for a plane there.
  let isNamed: Bool

  func all() async -> [Finding] {
    let settings: ClientSettings
    do {
      settings = try ClientSettings.find(given)
    } catch {
      return [
        Finding(
          grade: isNamed ? .wrong : .note,
          text: error.description,
          remedy: "'gatehouse plane' makes an identity in its state folder, below client/"
        )
      ]
    }
    return [certificate(settings)] + (await plane(settings))
  }

  private func certificate(_ settings: ClientSettings) -> Finding {
    do {
      let (subject, ends) = try settings.certificateSubject()
      let hours = (ends - ThisProcess.unixTime) / 3600
      guard hours >= 0 else {
        return Finding(
          grade: .wrong,
          text: "the client certificate of \(subject) has expired",
          remedy: "start the plane again: it renews its admin's; ask its owner for others"
        )
      }
      let left = hours < 48 ? "\(hours) hours" : "\(hours / 24) days"
      return Finding(grade: .good, text: "client certificate of \(subject), good for \(left)")
    } catch {
      return Finding(
        grade: .wrong,
        text: "the client certificate can't be read: \(error)",
        remedy: "replace it with the one that the plane made"
      )
    }
  }

  private func plane(_ settings: ClientSettings) async -> [Finding] {
    do {
      let client = try await PlaneClient.connect(settings)
      let workspaces = try await client.workspaces()
      let links = try await client.links()
      await client.close()
      let text =
        "plane at \(settings.plane), \(Plain.count(workspaces.count, "workspace")) of yours, "
        + "\(links.count) linked"
      let now = Int64(ThisProcess.unixMilliseconds)
      return [Finding(grade: .good, text: text)] + workspaces.compactMap(Self.unlinked)
        + links.compactMap { Self.ageing($0, now) }
    } catch let error as ClientError {
      return [
        Finding(
          grade: .wrong,
          text: error.description,
          remedy: error.description.contains("is it running?")
            ? "start it with 'gatehouse plane', or name another with --plane" : ""
        )
      ]
    } catch {
      return [Finding(grade: .wrong, text: "\(error)")]
    }
  }

  private static func unlinked(_ workspace: Gatehouse_Plane_V1_Workspace) -> Finding? {
    guard workspace.state == .unlinked else { return nil }
    let remedy =
      workspace.local
      ? "stop and start it: gatehouse workspace stop \(workspace.name); its daemon.log says why"
      : "see whether its gatehouse-toold runs, and what it logs"
    return Finding(
      grade: .wrong,
      text: "workspace \(workspace.name) should be linked, and is not",
      remedy: remedy
    )
  }

  /// A daemon renews at half its certificate's life; one that is late cannot.
  private static func ageing(_ link: Gatehouse_Plane_V1_Link, _ now: Int64) -> Finding? {
    let left = link.certificateExpiresUnixUs / 1000 - now
    guard link.certificateExpiresUnixUs > 0, left < 3_600_000 else { return nil }
    return Finding(
      grade: .note,
      text: "the certificate of \(link.workspaceName)'s daemon ends in \(Ages.text(left))",
      remedy: "it should have renewed by now; see what the daemon logs"
    )
  }
}
