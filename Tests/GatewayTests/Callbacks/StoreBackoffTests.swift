import Testing

@testable import Gateway

struct StoreBackoffTests {
    @Test func `each failure in a row doubles the pause up to the longest, and a success ends it`() {
        var backoff = StoreBackoff(first: .seconds(1), longest: .seconds(30))
        #expect(!backoff.isActive && backoff.pause == .zero)
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            backoff.failed()
            #expect(backoff.isActive && backoff.pause == .seconds(seconds))
        }
        for _ in 0..<100 { backoff.failed() }
        #expect(backoff.pause == .seconds(30))
        backoff.succeeded()
        #expect(!backoff.isActive && backoff.pause == .zero)
        backoff.failed()
        #expect(backoff.pause == .seconds(1))
    }
}
