internal import Client
internal import SwiftProtobuf
internal import Wire

/// What `top` shows, as it was at one moment.
struct TopSample: Sendable {
  let at: ContinuousClock.Instant
  let links: [Gatehouse_Plane_V1_Link]
  /// Under way, newest first.
  let calls: [Gatehouse_Tools_V1_CallInfo]
  /// There are more calls under way than are shown.
  let hasMoreCalls: Bool

  /// Most calls asked for.
  static let maxCalls: UInt32 = 200

  static func take(_ client: PlaneClient) async throws -> TopSample {
    let links = try await client.links()
    let response: Gatehouse_Tools_V1_ListResponse = try await client.call(
      "/gatehouse.tools.v1.Tools/List",
      Gatehouse_Tools_V1_ListRequest.with {
        $0.runningOnly = true
        $0.maxCalls = maxCalls
      }
    )
    return TopSample(
      at: .now,
      links: links,
      calls: response.calls,
      hasMoreCalls: response.more
    )
  }
}

/// What went on between two samples, each second.
struct TopRates: Sendable, Equatable {
  var calls = 0.0
  var output = 0.0
  var stdin = 0.0

  /// A link that is new, or that the earlier sample had not, counts from nothing.
  init(of link: Gatehouse_Plane_V1_Link, now: TopSample, before: TopSample?) {
    guard let before else { return }
    let seconds = Self.seconds(now.at - before.at)
    guard seconds > 0 else { return }
    let old = before.links.first {
      $0.workspaceID == link.workspaceID && $0.sessionEpoch == link.sessionEpoch
    }
    func rate(_ count: (Gatehouse_Plane_V1_Link) -> UInt64) -> Double {
      let (new, old) = (count(link), old.map(count) ?? 0)
      return new > old ? Double(new - old) / seconds : 0
    }
    calls = rate { $0.endedCalls }
    output = rate { $0.outputBytes }
    stdin = rate { $0.stdinBytes }
  }

  init() {}

  static func + (left: TopRates, right: TopRates) -> TopRates {
    var sum = left
    sum.calls += right.calls
    sum.output += right.output
    sum.stdin += right.stdin
    return sum
  }

  private static func seconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
