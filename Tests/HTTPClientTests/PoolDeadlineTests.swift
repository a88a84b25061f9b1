import Base
import Testing

@testable import HTTPClient

struct PoolDeadlineTests {
    /// What happens, at a time in milliseconds.
    enum Event {
        /// libcurl sets its timeout.
        case set(Int)
        /// The pool asks for how long to arm the timer; the answer in milliseconds.
        case settle(Int?)
        /// The timer fires; whether libcurl is then to be called.
        case fire(isDue: Bool)
        /// libcurl is called.
        case call
    }

    private static let table: [(name: String, events: [(Int, Event)])] = [
        ("there is no timeout at first", [(0, .settle(nil))]),
        ("the timer is armed for the timeout", [(5, .set(100)), (7, .settle(98)), (105, .fire(isDue: true))]),
        (
            "a later timeout does not move the timer",
            [(0, .set(100)), (0, .settle(100)), (10, .set(200)), (10, .settle(nil))]
        ),
        (
            "a timer that fires too soon is armed for the rest",
            [
                (0, .set(100)), (0, .settle(100)), (10, .set(200)), (10, .settle(nil)), (100, .fire(isDue: false)),
                (101, .settle(109)), (210, .fire(isDue: true)),
            ]
        ),
        ("an earlier timeout moves the timer", [(0, .set(100)), (0, .settle(100)), (10, .set(20)), (10, .settle(20))]),
        (
            "a timeout of zero is due at once, and the loop gets its turn first",
            [(0, .set(100)), (0, .settle(100)), (1, .set(0)), (1, .settle(0)), (1, .fire(isDue: true))]
        ),
        (
            "after a call, nothing is due until libcurl sets another timeout",
            [(0, .set(0)), (0, .call), (0, .settle(nil)), (0, .set(10)), (0, .settle(10))]
        ),
        (
            "a timeout that is due is not due again",
            [(0, .set(10)), (0, .settle(10)), (10, .fire(isDue: true)), (10, .call), (10, .settle(nil))]
        ),
        (
            "after a removed timeout, the timer fires once without need",
            [(0, .set(10)), (0, .settle(10)), (5, .set(-1)), (5, .settle(nil)), (10, .fire(isDue: false))]
        ),
        (
            "a timeout that has passed is armed for at once",
            [(0, .set(10)), (25, .settle(0)), (25, .fire(isDue: true))]
        ),
        (
            "a timer that has fired is armed again for the same time",
            [(0, .set(10)), (0, .settle(10)), (9, .fire(isDue: false)), (9, .settle(1)), (10, .fire(isDue: true))]
        ),
    ]

    @Test(arguments: table.indices)
    func `the timer is armed when it would fire too late, and only then`(index: Int) {
        var deadline = PoolDeadline()
        for (time, event) in Self.table[index].events {
            let now = MonotonicTime(nanoseconds: 1_000_000_000) + .milliseconds(time)
            let name = "\(Self.table[index].name), at \(time) ms"
            switch event {
            case .set(let timeout): deadline.set(milliseconds: timeout, now: now)
            case .settle(let delay):
                #expect(deadline.delayToArm(now: now) == delay.map { .milliseconds($0) }, "\(name)")
            case .fire(let isDue):
                deadline.timerFired(now: now)
                #expect(deadline.isDueNow == isDue, "\(name)")
            case .call: deadline.isDueNow = false
            }
        }
    }
}
