internal import Base

/// The place of each counter in a row of 64-bit words. It is fixed at startup, so that counting only adds to a word.
struct MetricsLayout: Sendable {
    /// The name that unlisted names are counted under.
    static let unnamed = "none"

    let routes: [String]
    let accounts: [String]

    private let routePlaces: [String: Int]
    private let accountPlaces: [String: Int]

    init(routes: [String], accounts: [String]) {
        self.routes = Self.closed(routes)
        self.accounts = Self.closed(accounts)
        routePlaces = Self.places(self.routes)
        accountPlaces = Self.places(self.accounts)
    }

    /// The word of the exchanges in flight.
    let inFlight = 0
    private let firstRoute = 1
    private var firstAccount: Int { firstRoute + routes.count * RouteWords.count }
    /// The number of words.
    var wordCount: Int { firstAccount + accounts.count * UpstreamCallKind.allCases.count * CallWords.count }

    /// The words of a route; those of ``unnamed`` for an unlisted one.
    func words(route: String) -> RouteWords {
        RouteWords(start: firstRoute + (routePlaces[route] ?? routes.count - 1) * RouteWords.count)
    }

    /// The words of an account's calls of one kind.
    func words(account: String, kind: UpstreamCallKind) -> CallWords {
        let account = accountPlaces[account] ?? accounts.count - 1
        let kinds = UpstreamCallKind.allCases.count
        let kind =
            switch kind {
            case .create: 0
            case .query: 1
            case .list: 2
            }
        return CallWords(start: firstAccount + (account * kinds + kind) * CallWords.count)
    }

    private static func closed(_ names: [String]) -> [String] {
        var seen: Set<String> = [unnamed]
        return names.filter { seen.insert($0).inserted } + [unnamed]
    }

    private static func places(_ names: [String]) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
    }
}

/// The words of one route.
struct RouteWords {
    static let count = StatusSlots.labels.count + HistogramWords.count(.own) + HistogramWords.count(.upstream) + 2

    let start: Int

    func status(_ status: Int) -> Int { start + StatusSlots.place(of: status) }
    var statuses: Range<Int> { start..<start + StatusSlots.labels.count }
    var own: HistogramWords { HistogramWords(start: statuses.upperBound, buckets: .own) }
    var upstream: HistogramWords { HistogramWords(start: own.end, buckets: .upstream) }
    var received: Int { upstream.end }
    var sent: Int { upstream.end + 1 }
}

/// The words of one account's calls of one kind.
struct CallWords {
    static let count = UpstreamOutcomeSlots.labels.count + HistogramWords.count(.upstream)

    let start: Int

    func outcome(_ outcome: UpstreamCallOutcome) -> Int { start + UpstreamOutcomeSlots.place(of: outcome) }
    var outcomes: Range<Int> { start..<start + UpstreamOutcomeSlots.labels.count }
    var duration: HistogramWords { HistogramWords(start: outcomes.upperBound, buckets: .upstream) }
}

/// The words of a histogram: one for each bucket, one for larger values, and the sum in nanoseconds.
struct HistogramWords {
    let start: Int
    let buckets: LatencyBuckets

    static func count(_ buckets: LatencyBuckets) -> Int { buckets.seconds.count + 2 }

    var counts: Range<Int> { start..<start + buckets.seconds.count + 1 }
    var sum: Int { counts.upperBound }
    var end: Int { sum + 1 }

    /// Counts a duration in `words`.
    func record(_ nanoseconds: Int64, in words: inout [UInt64]) {
        words[start + buckets.place(of: nanoseconds)] &+= 1
        words[sum] &+= UInt64(max(0, nanoseconds))
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
    func place(of value: Int64) -> Int {
        var place = 0
        while place < nanoseconds.count, nanoseconds[place] < value { place += 1 }
        return place
    }
}

/// The statuses that are counted separately; all others share one place.
enum StatusSlots {
    private static let statuses = [
        200, 202, 204, 304, 400, 401, 403, 404, 405, 408, 409, 411, 413, 414, 415, 417, 422, 429, 431, 499, 500, 501,
        502, 503, 504, 505,
    ]

    /// The values of the label, by place.
    static let labels: [String] = statuses.map { "\($0)" } + ["other"]

    private static let places: [UInt8] = (0..<600).map { status in
        UInt8(statuses.firstIndex(of: status) ?? statuses.count)
    }

    /// The place of `status`.
    static func place(of status: Int) -> Int {
        places.indices.contains(status) ? Int(places[status]) : statuses.count
    }
}
