internal import Base
internal import KlingAPI

/// How much the gateway has done in the last hour. Any thread may call any function.
public final class Activity: Sendable {
    /// Counts since the start.
    public struct Totals: Sendable, Equatable {
        /// Requests that were answered.
        public var requests: UInt64 = 0
        /// Creates that Kling has accepted.
        public var creates: UInt64 = 0
        /// Requests that were answered with a status of 500 or above.
        public var errors: UInt64 = 0
        /// Tasks that have ended.
        public var finished: UInt64 = 0
        /// Callbacks to clients that have failed.
        public var failedDeliveries: UInt64 = 0

        /// Counts that are all zero.
        public init() {}
    }

    /// How many minutes are kept.
    public static let minutes = 60
    /// How often ``sample()`` must be called.
    public static let interval = Duration.seconds(5)
    private static let samplesPerMinute = 12

    private let source: @Sendable () -> Totals
    /// The latest totals, the oldest first.
    private let samples: Lock<[Totals]>

    /// - Parameter source: gives the totals.
    public init(_ source: @escaping @Sendable () -> Totals) {
        self.source = source
        samples = Lock([source()])
    }

    /// Takes a sample. Call it every ``interval``.
    public func sample() {
        let totals = source()
        samples.withLock { samples in
            samples.append(totals)
            let surplus = samples.count - Self.minutes * Self.samplesPerMinute - 1
            if surplus > 0 { samples.removeFirst(surplus) }
        }
    }

    /// The change of a count in each of the last ``minutes``; the last one is the minute until now.
    func perMinute(_ count: KeyPath<Totals, UInt64>) -> [Int] {
        let samples = samples.withLock { $0 }
        func total(_ minutesAgo: Int) -> UInt64 {
            samples[max(0, samples.count - 1 - minutesAgo * Self.samplesPerMinute)][keyPath: count]
        }
        return (0..<Self.minutes).reversed().map { Int(clamping: total($0) &- total($0 + 1)) }
    }
}

extension Metrics {
    /// Adds up what ``Activity`` shows.
    public var activity: Activity.Totals {
        let row = totals()
        var sums = Activity.Totals()
        for route in layout.routes {
            for (index, label) in zip(layout.counters(route: route).statuses, StatusSlots.labels) {
                sums.requests += row[index]
                if label.hasPrefix("5") { sums.errors += row[index] }
            }
        }
        for account in layout.accounts {
            sums.creates += row[layout.counters(account: account, kind: .create).outcome(.code(.ok))]
        }
        return sums
    }
}
