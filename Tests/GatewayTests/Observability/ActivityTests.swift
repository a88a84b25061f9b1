import Base
import Testing

@testable import Gateway

struct ActivityTests {
    @Test func `counts are told by the minute, the last one first from the end`() {
        let totals = Lock(Activity.Totals())
        let activity = Activity { totals.withLock { $0 } }
        #expect(activity.perMinute(\.creates) == Array(repeating: 0, count: 60))
        // Two creates in each of the 12 samples of a minute, then none for another.
        for _ in 0..<12 {
            totals.withLock { $0.creates += 2 }
            activity.sample()
        }
        #expect(activity.perMinute(\.creates).suffix(2) == [0, 24])
        for _ in 0..<12 { activity.sample() }
        #expect(activity.perMinute(\.creates).suffix(3) == [0, 24, 0])
        for _ in 0..<(12 * 60) { activity.sample() }
        #expect(activity.perMinute(\.creates).allSatisfy { $0 == 0 })
        #expect(activity.perMinute(\.errors).count == Activity.minutes)
    }
}
