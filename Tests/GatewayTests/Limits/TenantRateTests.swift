import Base
import Testing

@testable import Gateway

/// The rate of a key beside that of its tenant.
struct TenantRateTests {
    private let now = MonotonicTime(nanoseconds: 1_000_000_000)

    private func principal(_ key: String, limit: Int?, tenant: Int?) -> Principal {
        Principal(
            tenant: "shop", keyID: key, limits: Principal.Limits(requestsPerMinute: limit),
            policy: TenantPolicy(
                limits: Principal.Limits(requestsPerMinute: tenant), scope: Principal.Scope(), zone: .utc))
    }

    @Test func `a request that the key refuses does not count against the tenant, and the other way round`() {
        let limiter = RateLimiter()
        let (slow, fast) = (principal("slow", limit: 1, tenant: 3), principal("fast", limit: 9, tenant: 3))
        #expect(limiter.take(slow, now: now)?.isAdmitted == true)
        #expect(limiter.take(slow, now: now)?.owner == .key("slow"))
        // The tenant has two left, not one.
        #expect(limiter.take(fast, now: now)?.isAdmitted == true)
        #expect(limiter.take(fast, now: now)?.isAdmitted == true)
        let refused = limiter.take(fast, now: now)
        #expect(refused?.isAdmitted == false && refused?.owner == .tenant("shop") && refused?.remaining == 0)
        // The key has seven left, not six.
        #expect(limiter.take(principal("fast", limit: 9, tenant: nil), now: now)?.remaining == 6)
    }

    @Test func `the limit with less left is shown`() {
        let limiter = RateLimiter()
        #expect(limiter.take(principal("a", limit: 9, tenant: 3), now: now)?.limit == 3)
        #expect(limiter.take(principal("b", limit: 1, tenant: 3), now: now)?.limit == 1)
        #expect(limiter.take(principal("c", limit: nil, tenant: nil), now: now) == nil)
    }
}
