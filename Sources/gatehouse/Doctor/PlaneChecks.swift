internal import Client
internal import Host

/// Who we are to the plane, and whether it answers.
struct PlaneChecks: Sendable {
  let given: ClientSettings.Given

  func all() async -> [Finding] {
    let settings: ClientSettings
    do {
      settings = try ClientSettings.find(given)
    } catch {
      return [
        Finding(
          grade: .note,
          text: error.description,
          remedy: "'gatehouse plane' makes an identity in its state folder, below client/"
        )
      ]
    }
    return [certificate(settings), await plane(settings)]
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

  private func plane(_ settings: ClientSettings) async -> Finding {
    do {
      let client = try await PlaneClient.connect(settings)
      let workspaces = try await client.workspaces()
      await client.close()
      return Finding(
        grade: .good,
        text: "plane at \(settings.plane), \(workspaces.count) workspaces of yours"
      )
    } catch let error as ClientError {
      return Finding(
        grade: .wrong,
        text: error.description,
        remedy: "start it with 'gatehouse plane', or name another with --plane"
      )
    } catch {
      return Finding(grade: .wrong, text: "\(error)")
    }
  }
}
