import Base
import Testing

@testable import TaskStore

/// Which of the other processes count as dead, from what was seen of them.
@Suite struct ReplicaWatchTests {
    private var watch = ReplicaWatch()

    /// Looks at one other process at a time in milliseconds.
    private mutating func isDead(
        at milliseconds: Int64, beats: Int64, isUnlocked: Bool = false, hasLeft: Bool = false
    ) -> Bool {
        let sight = ReplicaWatch.Sight(number: 7, beats: beats, hasLeft: hasLeft, isUnlocked: isUnlocked)
        return watch.dead(among: [sight], now: MonotonicTime(nanoseconds: milliseconds * 1_000_000)) == [7]
    }

    @Test mutating func `one that has left is dead at once`() {
        #expect(isDead(at: 0, beats: 5, hasLeft: true))
    }

    @Test mutating func `one that counts and holds its lock lives`() {
        for step in 0..<50 { #expect(!isDead(at: Int64(step) * 200, beats: Int64(step))) }
    }

    @Test mutating func `one that stops counting is dead after four seconds`() {
        #expect(!isDead(at: 0, beats: 5))
        #expect(!isDead(at: 3_900, beats: 5))
        #expect(isDead(at: 4_000, beats: 5))
    }

    @Test mutating func `one whose lock is free is dead after one point two seconds`() {
        #expect(!isDead(at: 0, beats: 5, isUnlocked: true))
        #expect(!isDead(at: 1_100, beats: 5, isUnlocked: true))
        #expect(isDead(at: 1_200, beats: 5, isUnlocked: true))
    }

    @Test mutating func `one that takes its lock again in time lives`() {
        #expect(!isDead(at: 0, beats: 5, isUnlocked: true))
        #expect(!isDead(at: 1_000, beats: 6))
        #expect(!isDead(at: 2_000, beats: 7, isUnlocked: true))
        #expect(!isDead(at: 3_000, beats: 8, isUnlocked: true))
    }

    @Test mutating func `after a gap in what was seen, nobody is dead at first`() {
        #expect(!isDead(at: 0, beats: 5))
        watch = ReplicaWatch()
        #expect(!isDead(at: 10_000, beats: 5))
        #expect(watch.hasDoubts)
        #expect(!isDead(at: 10_200, beats: 6))
        #expect(!watch.hasDoubts)
    }

    @Test mutating func `one that is gone from the list raises no doubts`() {
        #expect(!isDead(at: 0, beats: 5))
        #expect(watch.dead(among: [], now: MonotonicTime(nanoseconds: 1)).isEmpty)
        #expect(!watch.hasDoubts)
    }
}
