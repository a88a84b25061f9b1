internal import Base

/// What became of a request under its key's rate.
struct RateDecision: Sendable, Hashable {
    let isAdmitted: Bool
    /// Requests per minute.
    let limit: Int
    /// How many more would be let in now.
    let remaining: Int
    /// Seconds until all of ``limit`` would be, rounded up.
    let reset: Int
    /// Seconds until the next one would be, rounded up: 0 if one would now.
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

/// A key's allowance of requests: full at first, and it fills evenly, `limit` requests a minute.
///
/// It is kept in whole parts, so many to a request that each nanosecond brings `limit` of them: nothing is rounded.
struct RateBucket: Sendable {
    /// The highest limit that is told from none.
    static let maxLimit = 100_000_000

    private static let partsPerRequest: Int64 = 60_000_000_000

    private var parts: Int64
    private var filledAt: MonotonicTime

    /// A full one.
    init(limit: Int, now: MonotonicTime) {
        parts = Int64(Self.bounded(limit)) * Self.partsPerRequest
        filledAt = now
    }

    /// Lets a request in if the allowance has one.
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

    /// Whether it is as good as a new one at `now`.
    func isFull(limit: Int, now: MonotonicTime) -> Bool {
        var copy = self
        copy.fill(limit, now)
        return copy.parts == Int64(Self.bounded(limit)) * Self.partsPerRequest
    }

    private mutating func fill(_ limit: Int, _ now: MonotonicTime) {
        let rate = Int64(Self.bounded(limit))
        // Threads read the clock before they get the lock: a moment may come after a later one.
        let elapsed = min(max(0, (now - filledAt).nanoseconds), Self.partsPerRequest)
        filledAt = max(filledAt, now)
        let (filled, overflow) = parts.addingReportingOverflow(elapsed * rate)
        parts = overflow ? rate * Self.partsPerRequest : min(filled, rate * Self.partsPerRequest)
    }

    private static func bounded(_ limit: Int) -> Int { min(max(limit, 1), maxLimit) }

    /// The seconds in which so many parts come, rounded up.
    private static func seconds(_ parts: Int64, _ rate: Int64) -> Int {
        guard parts > 0 else { return 0 }
        return Int((parts - 1) / (rate * 1_000_000_000) + 1)
    }
}

/// Holds every key to its rate of requests, however many threads ask. Keys without a limit cost nothing.
final class RateLimiter: Sendable {
    private struct Kept {
        var bucket: RateBucket
        var limit: Int
    }

    private struct State {
        var kept: [String: Kept] = [:]
        var sweepAt = RateLimiter.leastSweep
    }

    private static let leastSweep = 1024

    private let state = Lock(State())

    /// Counts a request of `principal`; nil if its key has no limit.
    func take(_ principal: Principal, now: MonotonicTime = .now) -> RateDecision? {
        guard let limit = principal.limits.requestsPerMinute else { return nil }
        return state.withLock { state in
            if state.kept.count >= state.sweepAt { Self.sweep(&state, now) }
            let fresh = Kept(bucket: RateBucket(limit: limit, now: now), limit: limit)
            state.kept[principal.keyID, default: fresh].limit = limit
            return state.kept[principal.keyID, default: fresh].bucket.take(limit: limit, now: now)
        }
    }

    /// How many keys are remembered.
    var count: Int { state.withLock { $0.kept.count } }

    /// Forgets the keys that a new bucket would serve as well.
    private static func sweep(_ state: inout State, _ now: MonotonicTime) {
        state.kept = state.kept.filter { !$0.value.bucket.isFull(limit: $0.value.limit, now: now) }
        state.sweepAt = max(leastSweep, state.kept.count * 2)
    }
}
