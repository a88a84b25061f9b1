internal import Base
internal import TaskStore

/// Whose limit it is.
enum LimitOwner: Sendable, Hashable {
    /// A key, by its id.
    case key(String)
    case tenant(String)

    /// How the store names its rate.
    var rateName: String {
        switch self {
        case .key(let id): "key \(id)"
        case .tenant(let name): "tenant \(name)"
        }
    }

    /// How errors name it to the client.
    var name: String {
        switch self {
        case .key: "This key"
        case .tenant(let name): "The tenant \(name), with all of its keys,"
        }
    }
}

/// The outcome of a request under the rate of its key and of its tenant: that of the one with less left.
struct RateDecision: Sendable, Hashable {
    /// Whose rate it is.
    var owner = LimitOwner.key("")
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

    /// Restores a bucket.
    init(_ state: RateState) {
        (parts, filledAt) = (state.parts, MonotonicTime(nanoseconds: state.filledAt))
    }

    /// The bucket as the store keeps it. Times are then those of the store's clock.
    var state: RateState { RateState(parts: parts, filledAt: filledAt.nanoseconds) }

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

/// Limits every key and every tenant to its rate of requests, over all threads. Those without a limit cost nothing.
final class RateLimiter: Sendable {
    private struct Entry {
        let owner: LimitOwner
        var bucket: RateBucket
        var limit: Int

        mutating func take(_ now: MonotonicTime) -> RateDecision {
            var decision = bucket.take(limit: limit, now: now)
            decision.owner = owner
            return decision
        }
    }

    private struct State {
        var entries: [LimitOwner: Entry] = [:]
        var sweepAt = RateLimiter.leastSweep
    }

    private static let leastSweep = 1024

    private let state = Lock(State())

    /// Counts a request of `principal`; nil if neither its key nor its tenant has a limit. A request that one of the two
    /// refuses does not count against the other.
    func take(_ principal: Principal, now: @autoclosure () -> MonotonicTime = .now) -> RateDecision? {
        let (key, tenant) = (principal.limits.requestsPerMinute, principal.policy.limits.requestsPerMinute)
        if key == nil, tenant == nil { return nil }
        let now = now()
        return state.withLock { state in
            if state.entries.count >= state.sweepAt { Self.sweep(&state, now) }
            var entries = [
                key.map { Self.entry(.key(principal.keyID), $0, state, now) },
                tenant.map { Self.entry(.tenant(principal.tenant), $0, state, now) },
            ].compactMap(\.self)
            let decision = Self.decide(&entries, now)
            if decision?.isAdmitted == true { for entry in entries { state.entries[entry.owner] = entry } }
            return decision
        }
    }

    /// Like ``take(_:now:)``, counted over all gateways that share the store.
    /// - Throws: if the store cannot be reached.
    func take(_ principal: Principal, in store: any RateStore) async throws(StoreError) -> RateDecision? {
        let limits = [
            principal.limits.requestsPerMinute.map { (LimitOwner.key(principal.keyID), $0) },
            principal.policy.limits.requestsPerMinute.map { (LimitOwner.tenant(principal.tenant), $0) },
        ].compactMap(\.self)
        if limits.isEmpty { return nil }
        return try await store.change(limits.map(\.0.rateName)) { states, time in
            let now = MonotonicTime(nanoseconds: time)
            var entries = zip(limits, states).map { limit, state in
                Entry(
                    owner: limit.0, bucket: state.map { RateBucket($0) } ?? RateBucket(limit: limit.1, now: now),
                    limit: limit.1)
            }
            let decision = Self.decide(&entries, now)
            return (decision?.isAdmitted == true ? entries.map(\.bucket.state) : states.map { _ in nil }, decision)
        }
    }

    /// Counts a request against several rates, or against none if one of them refuses it.
    private static func decide(_ entries: inout [Entry], _ now: MonotonicTime) -> RateDecision? {
        let decisions = entries.indices.map { entries[$0].take(now) }
        let refusal = decisions.filter { !$0.isAdmitted }.max { $0.retryAfter < $1.retryAfter }
        return refusal ?? decisions.min { $0.remaining < $1.remaining }
    }

    /// The number of keys and tenants that are remembered.
    var count: Int { state.withLock { $0.entries.count } }

    private static func entry(_ owner: LimitOwner, _ limit: Int, _ state: State, _ now: MonotonicTime) -> Entry {
        var entry =
            state.entries[owner] ?? Entry(owner: owner, bucket: RateBucket(limit: limit, now: now), limit: limit)
        entry.limit = limit
        return entry
    }

    /// Forgets those whose buckets are full, because new buckets would be the same.
    private static func sweep(_ state: inout State, _ now: MonotonicTime) {
        state.entries = state.entries.filter { !$0.value.bucket.isFull(limit: $0.value.limit, now: now) }
        state.sweepAt = max(leastSweep, state.entries.count * 2)
    }
}
