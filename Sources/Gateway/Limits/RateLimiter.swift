internal import Base

/// The outcome of a request under its key's rate.
struct RateDecision: Sendable, Hashable {
    let isAdmitted: Bool
    /// Requests per minute.
    let limit: Int
    /// How many more requests would be admitted now.
    let remaining: Int
    /// Seconds until ``limit`` requests would be admitted, rounded up.
    let reset: Int
    /// Seconds until the next request would be admitted, rounded up; 0 if one would be admitted now.
    let retryAfter: Int

    /// The response's header fields.
    var headers: [(name: String, value: String)] {
        [
            ("x-ratelimit-limit-requests", String(limit)),
            ("x-ratelimit-remaining-requests", String(remaining)),
            ("x-ratelimit-reset-requests", "\(reset)s"),
        ]
    }
}

/// A key's allowance of requests: full at first, and refilled evenly at `limit` requests a minute.
///
/// It is counted in integer parts. A request costs as many parts as a minute has nanoseconds, so that each nanosecond
/// adds `limit` parts and nothing is rounded.
struct RateBucket: Sendable {
    /// The highest limit that has an effect; higher ones count as this.
    static let maxLimit = 100_000_000

    private static let partsPerRequest: Int64 = 60_000_000_000

    private var parts: Int64
    private var filledAt: MonotonicTime

    /// Creates a full bucket.
    init(limit: Int, now: MonotonicTime) {
        parts = Int64(Self.bounded(limit)) * Self.partsPerRequest
        filledAt = now
    }

    /// Admits a request if the allowance has one.
    mutating func take(limit: Int, now: MonotonicTime) -> RateDecision {
        fill(limit, now)
        let isAdmitted = parts >= Self.partsPerRequest
        if isAdmitted { parts -= Self.partsPerRequest }
        let rate = Int64(Self.bounded(limit))
        return RateDecision(
            isAdmitted: isAdmitted, limit: limit, remaining: Int(parts / Self.partsPerRequest),
            reset: Self.seconds(rate * Self.partsPerRequest - parts, rate),
            retryAfter: Self.seconds(Self.partsPerRequest - parts, rate))
    }

    /// Whether it is full at `now`, like a new bucket.
    func isFull(limit: Int, now: MonotonicTime) -> Bool {
        var copy = self
        copy.fill(limit, now)
        return copy.parts == Int64(Self.bounded(limit)) * Self.partsPerRequest
    }

    private mutating func fill(_ limit: Int, _ now: MonotonicTime) {
        let rate = Int64(Self.bounded(limit))
        // Threads read the clock before they get the lock, so `now` may be earlier than in the call before.
        let elapsed = min(max(0, (now - filledAt).nanoseconds), Self.partsPerRequest)
        filledAt = max(filledAt, now)
        let (filled, overflow) = parts.addingReportingOverflow(elapsed * rate)
        parts = overflow ? rate * Self.partsPerRequest : min(filled, rate * Self.partsPerRequest)
    }

    private static func bounded(_ limit: Int) -> Int { min(max(limit, 1), maxLimit) }

    /// The seconds in which `parts` are added, rounded up.
    private static func seconds(_ parts: Int64, _ rate: Int64) -> Int {
        guard parts > 0 else { return 0 }
        return Int((parts - 1) / (rate * 1_000_000_000) + 1)
    }
}

/// Limits every key to its rate of requests, over all threads. Keys without a limit cost nothing.
final class RateLimiter: Sendable {
    private struct Entry {
        var bucket: RateBucket
        var limit: Int
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var sweepAt = RateLimiter.leastSweep
    }

    private static let leastSweep = 1024

    private let state = Lock(State())

    /// Counts a request of `principal`; nil if its key has no limit.
    func take(_ principal: Principal, now: MonotonicTime = .now) -> RateDecision? {
        guard let limit = principal.limits.requestsPerMinute else { return nil }
        return state.withLock { state in
            if state.entries.count >= state.sweepAt { Self.sweep(&state, now) }
            let fresh = Entry(bucket: RateBucket(limit: limit, now: now), limit: limit)
            state.entries[principal.keyID, default: fresh].limit = limit
            return state.entries[principal.keyID, default: fresh].bucket.take(limit: limit, now: now)
        }
    }

    /// The number of keys that are remembered.
    var count: Int { state.withLock { $0.entries.count } }

    /// Forgets the keys whose buckets are full, because new buckets would be the same.
    private static func sweep(_ state: inout State, _ now: MonotonicTime) {
        state.entries = state.entries.filter { !$0.value.bucket.isFull(limit: $0.value.limit, now: now) }
        state.sweepAt = max(leastSweep, state.entries.count * 2)
    }
}
