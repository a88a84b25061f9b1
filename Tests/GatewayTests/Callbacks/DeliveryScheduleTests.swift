import TaskStore
import Testing

@testable import Gateway

struct DeliveryScheduleTests {
    /// A generator that always returns the same number.
    private struct Fixed: RandomNumberGenerator {
        var value: UInt64
        mutating func next() -> UInt64 { value }
    }

    private static let now: Int64 = 784_111_777_000  // Sun, 06 Nov 1994 08:49:37 GMT

    private func outcome(
        _ result: Result<CallbackReply, CallbackFailure>, attempt: Int = 1, random: UInt64 = 1 << 52
    ) -> DeliveryOutcome {
        var random = Fixed(value: random)
        return DeliverySchedule.standard.outcome(
            of: result, attempt: attempt, endedAt: Self.now, wall: Self.now, using: &random)
    }

    private func answer(_ status: Int, retryAfter: String? = nil) -> Result<CallbackReply, CallbackFailure> {
        .success(CallbackReply(status: status, retryAfter: retryAfter))
    }

    @Test func `delivery fails after nine retries`() {
        let seconds: [Int64] = [5, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200]
        for (index, pause) in seconds.enumerated() {
            #expect(outcome(answer(500), attempt: index + 1) == .retry(at: Self.now + pause * 1000))
        }
        #expect(outcome(answer(500), attempt: 10) == .gaveUp)
        #expect(outcome(.failure(CallbackFailure("timeout")), attempt: 10) == .gaveUp)
        #expect(outcome(answer(503, retryAfter: "60"), attempt: 10) == .gaveUp)
    }

    @Test func `jitter is up to a fifth in either direction`() {
        #expect(outcome(answer(500), random: 0) == .retry(at: Self.now + 4000))
        #expect(outcome(answer(500), random: (1 << 53) - 1000) == .retry(at: Self.now + 6000))
    }

    @Test(arguments: [200, 201, 204, 299]) func `a 2xx is a success`(status: Int) {
        #expect(outcome(answer(status)) == .delivered)
        #expect(outcome(answer(status), attempt: 10) == .delivered)
    }

    @Test(arguments: [300, 301, 302, 308, 400, 404, 429, 500, 503, 999]) func `any other outcome is retried`(
        status: Int
    ) {
        #expect(outcome(answer(status)) == .retry(at: Self.now + 5000))
    }

    @Test func `410 ends the delivery`() { #expect(outcome(answer(410, retryAfter: "5")) == .gaveUp) }

    @Test(
        arguments: [
            ("120", 120), ("1", 5), ("0", 5), ("43200", 43_200), ("43201", 43_200), ("99999999999999999999999", 43_200),
            ("9223372036854775807", 43_200), ("-1", 5), ("+60", 5), ("1.5", 5), ("", 5), ("soon", 5), ("120 ", 5),
            ("Sun, 06 Nov 1994 08:51:37 GMT", 120), ("Sunday, 06-Nov-94 08:51:37 GMT", 120),
            ("Sun Nov  6 08:51:37 1994", 120), ("Sun, 06 Nov 1994 08:49:36 GMT", 5),
            ("Mon, 07 Nov 2050 08:49:37 GMT", 43_200),
            ("Sun, 06 Nov 1994 25:51:37 GMT", 5), ("Sun, 32 Nov 1994 08:51:37 GMT", 5),
            ("Sun, 06 Nix 1994 08:51:37 GMT", 5),
            ("Sun, 06 Nov 1994 08:51:37 CET", 5), ("Sun, 06 Nov 1994 08:51 GMT", 5), (", , , , ,", 5),
        ] as [(String, Int64)])
    func `Retry-After lengthens the pause, within bounds`(value: String, seconds: Int64) {
        #expect(outcome(answer(503, retryAfter: value)) == .retry(at: Self.now + seconds * 1000))
    }

    @Test(
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Tue, 29 Feb 2028 12:00:00 GMT", 1_835_438_400),
            ("Fri, 31 Dec 1999 23:59:59 GMT", 946_684_799), ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
        ] as [(String, Int64)])
    func `Retry-After dates follow the calendar`(date: String, seconds: Int64) {
        #expect(RetryAfter.wait(date, now: 0) == seconds * 1000)
    }
}
