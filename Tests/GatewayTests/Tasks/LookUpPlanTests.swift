import Base
import Testing

@testable import Gateway

struct LookUpPlanTests {
    private let start = MonotonicTime(nanoseconds: 7_000_000_000)

    /// The times of the lookups, in seconds after the start, if each takes `seconds` and brings `answer`.
    private func run(
        _ plan: LookUpPlan, taking seconds: Double = 0, limit: Int = 100, _ answer: (Int) -> LookUpPlan.Answer
    ) -> (times: [Double], end: LookUpPlan.Step) {
        var (plan, times): (LookUpPlan, [Double]) = (plan, [])
        while case .lookUp(let time) = plan.step, times.count < limit {
            times.append((time - start).seconds)
            _ = plan.answered(answer(times.count - 1), now: time + .seconds(seconds))
        }
        return (times, plan.step)
    }

    @Test func `while the client waits, Kling is asked at 0, 1, 2, 4, 6 and 8 seconds`() {
        let (times, end) = run(.request(start: start)) { _ in .unknown }
        #expect(times == [0, 1, 2, 4, 6, 8])
        #expect(end == .handOver)
    }

    @Test func `a create that Kling doesn't know may be resent after 4 seconds`() {
        var plan = LookUpPlan.request(start: start)
        let allowed = [0, 1, 2, 3.99, 4, 6, 8].map { plan.allowsRepeat(at: start + .seconds($0)) }
        #expect(allowed == [false, false, false, false, true, true, true])
        // The lookup at 4 s allows it even if its timer fires a little early.
        for _ in 0..<3 { _ = plan.answered(.unknown, now: start) }
        #expect(plan.allowsRepeat(at: start + .seconds(3.997)))
    }

    @Test func `a client that waits less gets fewer lookups`() {
        let (times, end) = run(.request(start: start, until: start + .seconds(5))) { _ in .unknown }
        #expect(times == [0, 1, 2, 4])
        #expect(end == .handOver)
    }

    @Test(arguments: [LookUpPlan.Answer.unknown, .none])
    func `slow lookups end with the client's wait and hand over`(answer: LookUpPlan.Answer) {
        let (times, end) = run(.request(start: start), taking: 4) { _ in answer }
        #expect(times == [0, 4, 8])
        #expect(end == .handOver)
    }

    @Test func `in the background, Kling is asked at once, then after 1, 2, 5, 15, 60, 300 and 900 seconds`() {
        let (times, end) = run(.background(start: start)) { _ in .unknown }
        #expect(times == [0, 1, 3, 8, 23, 83, 383, 1283])
        #expect(end == .neverMade)
    }

    @Test func `a task that is found is adopted, even by the last lookup`() {
        for last in 0..<8 {
            let (times, end) = run(.background(start: start)) { $0 == last ? .found : .unknown }
            #expect(times.count == last + 1)
            #expect(end == .adopt)
        }
    }

    @Test func `lookups without an answer prove nothing and become less frequent`() {
        let (times, end) = run(.background(start: start), limit: 12) { _ in .none }
        #expect(times == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363])
        guard case .lookUp = end else {
            Issue.record("an outage ended the plan")
            return
        }
    }

    @Test func `an outage during the last lookups is waited out`() {
        let (times, end) = run(.background(start: start)) { (7..<60).contains($0) ? .none : .unknown }
        #expect(times.count == 61)
        #expect(end == .neverMade)
        let (_, found) = run(.background(start: start)) { (7..<60).contains($0) ? .none : $0 < 7 ? .unknown : .found }
        #expect(found == .adopt)
    }

    @Test func `an answer after the end of the plan is ignored`() {
        var plan = LookUpPlan.background(start: start)
        #expect(plan.answered(.found, now: start) == .adopt)
        #expect(plan.answered(.unknown, now: start) == .adopt)
    }
}
