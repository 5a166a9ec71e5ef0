import Calls

/// An `Admission` of calls that are names alone.
struct NamedAdmission: ~Copyable {
  private var admission: Admission
  private var places: [String: Admission.Place] = [:]

  init(limits: Admission.Limits = Admission.Limits()) { admission = Admission(limits: limits) }

  private final class Name {
    let text: String

    init(_ text: String) { self.text = text }
  }

  enum OnSubmit: Equatable {
    case queued
    case full(retryAfter: Duration)
  }

  mutating func submit(_ call: String, by principal: String, to workspace: String) -> OnSubmit {
    switch admission.submit(Name(call), by: principal, to: workspace) {
    case .queued(let place):
      places[call] = place
      return .queued
    case .full(let delay): return .full(retryAfter: delay)
    }
  }

  mutating func adopt(_ call: String, in workspace: String) {
    places[call] = admission.adopt(in: workspace)
  }

  mutating func next() -> String? { (admission.next() as? Name)?.text }

  mutating func claimed(_ call: String) {
    if let place = places[call] { admission.claimed(place) }
  }

  mutating func ended(_ call: String) {
    if let place = places.removeValue(forKey: call) { admission.ended(place) }
  }

  mutating func open(_ workspace: String, maxCalls: Int) {
    admission.open(workspace, maxCalls: maxCalls)
  }

  mutating func close(_ workspace: String) { admission.close(workspace) }

  func waiting(for workspace: String) -> Int { admission.waiting(for: workspace) }
}
