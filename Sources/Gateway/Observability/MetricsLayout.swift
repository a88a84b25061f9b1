internal import Base

/// The index of each counter in a row of 64-bit counters. It is fixed at startup, so that counting is one addition.
/// Names are few, so that comparing them is cheaper than hashing one.
struct MetricsLayout: Sendable {
    /// The name that unlisted names are counted under.
    static let unnamed = "none"

    let routes: [String]
    let accounts: [String]

    init(routes: [String], accounts: [String]) {
        self.routes = Self.closed(routes)
        self.accounts = Self.closed(accounts)
    }

    /// The index of the exchanges in flight.
    let inFlight = 0
    private let firstRoute = 1
    private var firstAccount: Int { firstRoute + routes.count * RouteCounters.count }
    /// The length of a row.
    var counterCount: Int { firstAccount + accounts.count * UpstreamCallKind.allCases.count * CallCounters.count }

    /// The counters of a route; those of ``unnamed`` for an unlisted route.
    func counters(route: String) -> RouteCounters {
        RouteCounters(start: firstRoute + (routes.firstIndex(of: route) ?? routes.count - 1) * RouteCounters.count)
    }

    /// The counters of an account's calls of one kind.
    func counters(account: String, kind: UpstreamCallKind) -> CallCounters {
        let account = accounts.firstIndex(of: account) ?? accounts.count - 1
        let kinds = UpstreamCallKind.allCases.count
        let kind =
            switch kind {
            case .create: 0
            case .query: 1
            case .list: 2
            }
        return CallCounters(start: firstAccount + (account * kinds + kind) * CallCounters.count)
    }

    private static func closed(_ names: [String]) -> [String] {
        var seen: Set<String> = [unnamed]
        return names.filter { seen.insert($0).inserted } + [unnamed]
    }
}

/// The indexes of one route's counters.
struct RouteCounters {
    static let count = StatusSlots.labels.count + HistogramCounters.count(.own) + HistogramCounters.count(.upstream) + 2

    let start: Int

    func status(_ status: Int) -> Int { start + StatusSlots.index(of: status) }
    var statuses: Range<Int> { start..<start + StatusSlots.labels.count }
    var own: HistogramCounters { HistogramCounters(start: statuses.upperBound, buckets: .own) }
    var upstream: HistogramCounters { HistogramCounters(start: own.end, buckets: .upstream) }
    var received: Int { upstream.end }
    var sent: Int { upstream.end + 1 }
}

/// The indexes of the counters for one account's calls of one kind.
struct CallCounters {
    static let count = UpstreamOutcomeSlots.labels.count + HistogramCounters.count(.upstream)

    let start: Int

    func outcome(_ outcome: UpstreamCallOutcome) -> Int { start + UpstreamOutcomeSlots.index(of: outcome) }
    var outcomes: Range<Int> { start..<start + UpstreamOutcomeSlots.labels.count }
    var duration: HistogramCounters { HistogramCounters(start: outcomes.upperBound, buckets: .upstream) }
}

/// The indexes of a histogram's counters: one for each bucket, one for larger values, and the sum in nanoseconds.
struct HistogramCounters {
    let start: Int
    let buckets: LatencyBuckets

    static func count(_ buckets: LatencyBuckets) -> Int { buckets.seconds.count + 2 }

    var counts: Range<Int> { start..<start + buckets.seconds.count + 1 }
    var sum: Int { counts.upperBound }
    var end: Int { sum + 1 }

    /// Counts a duration in `row`.
    func record(_ nanoseconds: Int64, in row: inout [UInt64]) {
        row[start + buckets.index(of: nanoseconds)] &+= 1
        row[sum] &+= UInt64(max(0, nanoseconds))
    }
}

/// The buckets of a latency histogram.
struct LatencyBuckets: Sendable {
    /// The upper bounds.
    let seconds: [Double]
    private let nanoseconds: [Int64]

    private init(_ seconds: [Double]) {
        self.seconds = seconds
        nanoseconds = seconds.map { Int64(($0 * 1e9).rounded()) }
    }

    /// The gateway's own share: tens of microseconds, and more for requests that wait for memory or a slot.
    static let own = LatencyBuckets(
        [0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5])
    /// The upstream's share: from a reused connection to a nearby host to the longest timeout.
    static let upstream = LatencyBuckets([0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60])

    /// The first bucket whose bound is not below `value`.
    func index(of value: Int64) -> Int {
        var index = 0
        while index < nanoseconds.count, nanoseconds[index] < value { index += 1 }
        return index
    }
}

/// The statuses that are counted separately; all others share one counter.
enum StatusSlots {
    private static let statuses = [
        200, 202, 204, 304, 400, 401, 403, 404, 405, 408, 409, 411, 413, 414, 415, 417, 422, 429, 431, 499, 500, 501,
        502, 503, 504, 505,
    ]

    /// The values of the label, by index.
    static let labels: [String] = statuses.map { "\($0)" } + ["other"]

    private static let indexes: [UInt8] = (0..<600).map { status in
        UInt8(statuses.firstIndex(of: status) ?? statuses.count)
    }

    /// The index of the counter for `status`.
    static func index(of status: Int) -> Int {
        indexes.indices.contains(status) ? Int(indexes[status]) : statuses.count
    }
}
