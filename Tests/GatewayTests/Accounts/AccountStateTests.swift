import Base
import KlingAPI
import TaskStore
import Testing

@testable import Gateway

struct AccountStateTests {
    /// An account that has accepted so many tasks that only its limit holds it back.
    private func warm(concurrency: Int? = nil) -> AccountSubject {
        let state = AccountSubject(account("a", concurrency: concurrency))
        for number in 900..<910 {
            state.reserve(number, at: 0)
            state.settle(number, .accepted, at: 0)
            state.settle(number, .ended, at: 0)
        }
        return state
    }

    // MARK: Slow start

    @Test func `slow start begins with one create and doubles the window with each acceptance`() {
        let state = AccountSubject(account("a"))
        #expect(state.take(1, at: 0) && !state.take(2, at: 0))
        state.settle(1, .refusedForGood, at: 0)
        #expect(state.take(3, at: 0) && !state.take(4, at: 0))
        state.settle(3, .accepted, at: 0)
        #expect(state.take(5, at: 0) && state.take(6, at: 0) && !state.take(7, at: 0))
        state.settle(5, .ambiguous, at: 0)
        #expect(state.take(8, at: 0) && !state.take(9, at: 0))
        state.settle(8, .accepted, at: 0)
        #expect(state.figures.window == 4)
        #expect(state.figures.running == 4)
    }

    @Test func `an account that loses three answers in a row is paused, and an answer in between counts`() {
        let state = warm()
        for (number, event) in [(1, .ambiguous), (2, .ambiguous), (3, .accepted), (4, .ambiguous), (5, .ambiguous)]
            as [(Int, CreateEvent)]
        {
            #expect(state.take(number, at: 0))
            state.settle(number, event, at: 0)
        }
        #expect(state.take(6, at: 0))
        state.settle(6, .ambiguous, at: 0)
        #expect(!state.take(7, at: 0))
        #expect(state.take(8, at: 2) && !state.take(9, at: 2))
        state.settle(8, .accepted, at: 2)
        #expect(state.take(10, at: 2) && state.take(11, at: 2))
    }

    @Test func `adopted and restored tasks do not widen the slow start's window`() {
        let state = AccountSubject(account("a"))
        #expect(state.take(1, at: 0))
        state.settle(1, .ambiguous, at: 0)
        state.settle(1, .accepted, at: 1)
        state.restore(2, age: .zero, at: 1)
        state.settle(2, .accepted, at: 1)
        #expect(state.figures.window == 1)
    }

    // MARK: Slots

    @Test func `a slot is held from the reservation until the task ends`() {
        let state = warm(concurrency: 1)
        #expect(state.take(1, at: 0) && !state.take(2, at: 0))
        state.settle(1, .accepted, at: 1)
        #expect(!state.take(2, at: 1))
        state.settle(1, .ended, at: 2)
        #expect(state.take(2, at: 2))
        state.settle(2, .ambiguous, at: 3)
        #expect(!state.take(3, at: 3))
        state.settle(2, .ended, at: 4)
        #expect(state.take(3, at: 4))
    }

    @Test func `a task missing at Kling holds no slot until it is found`() {
        let state = warm(concurrency: 1)
        state.restore(1, age: .zero, at: 0)
        #expect(!state.take(2, at: 0))
        for time in 1...3 { state.settle(1, .missing, at: Double(time)) }
        #expect(state.figures.running == 0)
        #expect(state.take(2, at: 4))
        state.settle(1, .accepted, at: 5)
        #expect(state.figures.running == 2)
        state.settle(2, .ended, at: 6)
        #expect(!state.take(3, at: 6))
        state.settle(1, .ended, at: 7)
        state.settle(1, .missing, at: 8)
        #expect(state.take(3, at: 8) && !state.take(4, at: 8))
    }

    @Test(arguments: [CreateEvent.notSent, .saturated, .refusedForGood])
    func `an open create whose resend fails holds no slot until it is found`(event: CreateEvent) {
        let state = warm(concurrency: 2)
        #expect(state.take(1, at: 0) && state.take(2, at: 0))
        state.settle(1, .ambiguous, at: 0)
        state.settle(1, event, at: 1)
        #expect(state.figures.running == 1)
        state.settle(1, .accepted, at: 2)
        #expect(state.figures.running == 2)
        state.settle(1, .ended, at: 3)
        #expect(state.figures.running == 1)
    }

    @Test func `a saturated account is tried once more when a task turns out to be missing`() {
        let state = warm()
        for number in 1...3 { #expect(state.take(number, at: 0)) }
        state.settle(2, .ambiguous, at: 0)
        state.settle(3, .saturated, at: 0)
        #expect(!state.take(4, at: 0.1))
        state.settle(2, .missing, at: 0.2)
        #expect(state.take(4, at: 0.2))
        state.settle(4, .saturated, at: 0.3)
        state.settle(2, .missing, at: 0.4)
        #expect(!state.take(5, at: 0.4))
    }

    @Test(arguments: [CreateEvent.refusedForGood, .withdrawn, .modelRefused])
    func `a create that made nothing frees its slot`(event: CreateEvent) {
        let state = warm(concurrency: 1)
        #expect(state.take(1, at: 0))
        state.settle(1, event, at: 0)
        #expect(state.take(2, model: "n", at: 0))
    }

    @Test func `a task older than half an hour holds no slot`() {
        let state = warm(concurrency: 2)
        #expect(state.take(1, at: 0) && state.take(2, at: 60))
        #expect(state.nextChange(after: 60) == moment(1800))
        #expect(!state.take(3, at: 1799))
        #expect(state.take(3, at: 1800) && !state.take(4, at: 1800))
        state.settle(1, .ended, at: 1801)
        #expect(state.figures.running == 2)
    }

    // MARK: Learned limits

    @Test func `a limit is learned from the tasks that run when Kling refuses another`() {
        let state = warm()
        for number in 1...4 { #expect(state.take(number, at: 0)) }
        state.settle(4, .saturated, at: 0)
        #expect(state.figures.learnedLimit == 3)
        state.settle(3, .saturated, at: 0)
        #expect(state.figures.learnedLimit == 2)
        state.settle(1, .saturated, at: 0)
        state.settle(2, .saturated, at: 0)
        #expect(state.figures.learnedLimit == 1)
    }

    @Test func `a saturated account is tried again when a task has ended`() {
        let state = warm()
        for number in 1...3 { #expect(state.take(number, at: 0)) }
        state.settle(3, .saturated, at: 0)
        #expect(!state.take(4, at: 0.1))
        state.settle(1, .ended, at: 0.2)
        #expect(state.take(4, at: 0.2) && !state.take(5, at: 0.2))
    }

    @Test func `an account full of unknown tasks is retried after growing pauses`() {
        let state = warm()
        var time = 0.0
        for (number, pause) in [1.0, 2, 4, 8, 10, 10].enumerated() {
            #expect(state.take(number, at: time))
            state.settle(number, .saturated, at: time)
            #expect(!state.take(50, at: time + pause - 0.01))
            #expect(state.nextChange(after: time) == moment(time + pause))
            time += pause
        }
        #expect(state.take(60, at: time))
        state.settle(60, .accepted, at: time)
        state.settle(60, .ended, at: time)
        #expect(state.take(61, at: time))
        state.settle(61, .saturated, at: time)
        #expect(state.take(62, at: time + 1))
    }

    @Test func `refusals of concurrent creates count once for the backoff`() {
        let state = warm()
        for number in 1...4 { #expect(state.take(number, at: 0)) }
        for number in 1...4 { state.settle(number, .saturated, at: 0) }
        #expect(!state.take(5, at: 0.99))
        #expect(state.take(5, at: 1))
    }

    @Test func `a learned limit is raised by one a minute while it holds creates back`() {
        let state = warm()
        #expect(state.take(1, at: 0) && state.take(2, at: 0))
        state.settle(2, .saturated, at: 0)
        #expect(!state.take(3, at: 30))
        #expect(state.nextChange(after: 30) == moment(60))
        #expect(!state.take(3, at: 59))
        #expect(state.take(3, at: 60) && !state.take(4, at: 60))
        #expect(state.figures.learnedLimit == 2)
        #expect(!state.take(4, at: 119))
        #expect(state.take(4, at: 600) && !state.take(5, at: 600))
        #expect(state.figures.learnedLimit == 3)
    }

    @Test func `a learned limit that holds nothing back stays`() {
        let state = warm()
        #expect(state.take(1, at: 0) && state.take(2, at: 0))
        state.settle(2, .saturated, at: 0)
        state.settle(1, .ended, at: 1)
        #expect(state.take(3, at: 300))
        #expect(state.figures.learnedLimit == 1)
    }

    @Test func `a learned limit never exceeds the configured one`() {
        let state = warm(concurrency: 2)
        #expect(state.take(1, at: 0) && state.take(2, at: 0) && !state.take(3, at: 0))
        state.settle(2, .saturated, at: 0)
        #expect(state.figures.limit == 1)
        #expect(!state.take(3, at: 10))
        #expect(state.take(3, at: 60) && !state.take(4, at: 60))
        #expect(state.figures.learnedLimit == nil)
        #expect(state.figures.limit == 2)
        #expect(!state.take(4, at: 600))
    }

    // MARK: Cooling

    @Test func `only a failed probe doubles the pause, up to ten seconds`() {
        let state = warm()
        for number in 1...3 { #expect(state.take(number, at: 0)) }
        for number in 1...3 { state.settle(number, .unavailable, at: 0) }
        var time = 1.0
        for (number, pause) in [2.0, 4, 8, 10, 10].enumerated() {
            #expect(state.take(10 + number, at: time) && !state.take(20, at: time))
            state.settle(10 + number, [.notSent, .ambiguous, .rateLimited][number % 3], at: time)
            #expect(!state.take(20, at: time + pause - 0.01))
            time += pause
        }
        #expect(state.take(30, at: time))
        state.settle(30, .accepted, at: time)
        #expect(state.take(31, at: time) && state.take(32, at: time))
        state.settle(31, .unavailable, at: time)
        #expect(state.take(33, at: time + 1))
    }

    @Test(arguments: [0, 0.25, 0.5, 0.999])
    func `pauses are randomly shortened by up to a fifth`(random: Double) {
        let state = warm()
        #expect(state.take(1, at: 0))
        state.settle(1, .notSent, at: 0, random: random)
        let end = 1 - 0.2 * random
        #expect(end > 0.8 && !state.take(2, at: end - 0.000_01))
        #expect(state.take(2, at: end + 0.000_01))
    }

    @Test func `a withdrawn probe leaves its turn to the next create`() {
        let state = warm()
        #expect(state.take(1, at: 0))
        state.settle(1, .notSent, at: 0)
        #expect(state.take(2, at: 1) && !state.take(3, at: 1))
        state.settle(2, .withdrawn, at: 1)
        #expect(state.take(3, at: 1))
    }

    // MARK: Disabled

    @Test func `a disabled account is checked by a list call every half minute, then probed by one create`() {
        let state = warm()
        #expect(state.take(1, at: 0))
        state.settle(1, .packUsedUp, at: 0)
        #expect(state.figures.disabledBy == .resourcePackExhausted)
        #expect(state.figures.reason == "balance not enough")
        #expect(!state.takeProbe(at: 29.9))
        #expect(state.takeProbe(at: 30) && !state.takeProbe(at: 30))
        state.probed(.failed, at: 31)
        #expect(!state.takeProbe(at: 59) && state.takeProbe(at: 60))
        #expect(!state.take(2, at: 60))
        state.probed(.answered, at: 61)
        #expect(state.take(2, at: 61) && !state.take(3, at: 61))
        state.settle(2, .packUsedUp, at: 62)
        #expect(!state.take(3, at: 62) && !state.takeProbe(at: 91))
        #expect(state.takeProbe(at: 92))
        state.probed(.answered, at: 92)
        #expect(state.take(4, at: 92))
        state.settle(4, .accepted, at: 92)
        #expect(state.figures.state == .healthy)
    }

    @Test func `a refused list call updates why the account is disabled`() {
        let state = warm()
        #expect(state.take(1, at: 0))
        state.settle(1, .packUsedUp, at: 0)
        #expect(state.takeProbe(at: 30))
        state.probed(.refused(.authorizationInvalid, reason: "no such key"), at: 30)
        #expect(state.figures.disabledBy == .authorizationInvalid)
        state.probed(.refused(.rateLimited, reason: "slower"), at: 60)
        #expect(state.figures.disabledBy == .authorizationInvalid)
    }

    @Test func `a refused model does not affect the others, and is probed like an account`() {
        let state = warm()
        #expect(state.take(1, model: "new", at: 0))
        state.settle(1, .modelRefused, at: 0)
        #expect(state.figures.state == .healthy)
        #expect(state.figures.refusedModels == ["new"])
        #expect(!state.take(2, model: "new", at: 0) && state.take(2, model: "old", at: 0))
        #expect(state.takeProbe(at: 30))
        state.probed(.answered, at: 30)
        #expect(state.take(3, model: "new", at: 30) && !state.take(4, model: "new", at: 30))
        state.settle(3, .modelRefused, at: 30)
        #expect(!state.take(4, model: "new", at: 59) && state.takeProbe(at: 60))
        state.probed(.answered, at: 60)
        #expect(state.take(4, model: "new", at: 60))
        state.settle(4, .accepted, at: 60)
        #expect(state.take(5, model: "new", at: 60) && state.take(6, model: "new", at: 60))
        #expect(state.figures.refusedModels == [])
    }

    @Test func `an account has no room for a model that it is not configured for`() {
        let state = AccountSubject(account("a", models: ["one"]))
        #expect(!state.take(1, model: "two", at: 0) && state.take(1, model: "one", at: 0))
    }
}
