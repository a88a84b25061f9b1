import Base
import Testing

@testable import Gateway

struct LineSamplerTests {
    private func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func `the first lines of a second are written, and the others are counted`() {
        var sampler = LineSampler(perSecond: 3)
        let verdicts = (0..<10).map { sampler.take(at: time(5_000 + $0)) }
        #expect(verdicts.map(\.isWritten) == [true, true, true] + Array(repeating: false, count: 7))
        #expect(verdicts.allSatisfy { $0.leftOut == 0 })
        #expect(sampler.take(at: time(6_000)) == LineSampler.Verdict(isWritten: true, leftOut: 7))
        #expect(sampler.take(at: time(6_001)) == LineSampler.Verdict(isWritten: true))
    }

    @Test func `lines left out are reported once, even if no more lines come`() {
        var sampler = LineSampler(perSecond: 1)
        for _ in 0..<4 { _ = sampler.take(at: time(100)) }
        #expect(sampler.report(at: time(900)) == 0)
        #expect(sampler.report(at: time(1_000)) == 3)
        #expect(sampler.report(at: time(2_000)) == 0)
        for _ in 0..<3 { _ = sampler.take(at: time(2_000)) }
        #expect(sampler.takeLeftOut() == 2)
        #expect(sampler.report(at: time(3_000)) == 0)
    }

    @Test func `all lines below the limit are written`() {
        var sampler = LineSampler(perSecond: 2)
        for number in 0..<20 { #expect(sampler.take(at: time(Int64(number) * 500)) == .init(isWritten: true)) }
    }
}
