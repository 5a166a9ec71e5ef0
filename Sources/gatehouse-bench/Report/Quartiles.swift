/// The middle of some samples: the median, and the bounds of the middle half.
struct Quartiles: Equatable, Sendable {
  let lower: Double
  let median: Double
  let upper: Double

  /// Interpolates between neighbours (Hyndman and Fan's type 7). At least one sample.
  init(_ samples: [Double]) {
    precondition(!samples.isEmpty, "a middle of nothing")
    let sorted = samples.sorted()
    func quantile(_ part: Double) -> Double {
      let place = part * Double(sorted.count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
    }
    lower = quantile(0.25)
    median = quantile(0.5)
    upper = quantile(0.75)
  }
}
