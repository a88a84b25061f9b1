internal import Base
internal import Glibc

/// Counts the requests and calls of the gateway, and writes the page that shows them.
///
/// Every function may be called from any thread. Counting takes one short lock that is rarely contended: there are
/// several rows of the same counters, each thread adds to one of them, and only ``exposition(of:)`` adds them up.
public final class Metrics: Sendable {
    let layout: MetricsLayout
    let version: String
    let startedAt: Int64
    private let rows: [Lock<[UInt64]>]

    private static let rowCount = 8

    /// Creates counters that are all zero. The lists of names are closed, so that no client can make the page grow. A
    /// name in neither list counts as `none`.
    /// - Parameters:
    ///   - routes: the routes' names, with the method where that matters: `create`, `query`.
    ///   - accounts: the names of the upstream accounts.
    ///   - version: the release that is running: `1.2.0`.
    public init(routes: [String], accounts: [String], version: String) {
        let layout = MetricsLayout(routes: routes, accounts: accounts)
        self.layout = layout
        self.version = version
        startedAt = WallClock.seconds
        rows = (0..<Self.rowCount).map { _ in Lock(Array(repeating: 0, count: layout.counterCount)) }
    }

    /// Counts an exchange that has begun. Each call needs one of ``exchangeEnded()``.
    public func exchangeBegan() { row.withLock { $0[layout.inFlight] &+= 1 } }

    /// Counts the end of an exchange that had begun.
    public func exchangeEnded() { row.withLock { $0[layout.inFlight] &-= 1 } }

    /// Counts a finished exchange.
    /// - Parameters:
    ///   - route: one of the names given to the initializer.
    ///   - status: the status sent.
    ///   - own: the time from the request's first byte to its answer, without the time that the upstream took.
    ///   - upstream: how long the gateway waited for an upstream; `nil` if it called none.
    ///   - received: bytes of head and body read from the client.
    ///   - sent: bytes of head and body sent to it.
    public func exchange(
        route: String, status: Int, own: Duration, upstream: Duration?, received: Int, sent: Int
    ) {
        let counters = layout.counters(route: route)
        let own = own.nanoseconds
        let upstream = upstream?.nanoseconds
        row.withLock { row in
            row[counters.status(status)] &+= 1
            counters.own.record(own, in: &row)
            if let upstream { counters.upstream.record(upstream, in: &row) }
            row[counters.received] &+= UInt64(max(0, received))
            row[counters.sent] &+= UInt64(max(0, sent))
        }
    }

    /// Counts a call to an upstream account, for a request or in the background.
    /// - Parameters:
    ///   - account: one of the names given to the initializer.
    ///   - duration: the time from the call to its outcome.
    public func upstreamCall(
        account: String, kind: UpstreamCallKind, outcome: UpstreamCallOutcome, duration: Duration
    ) {
        let counters = layout.counters(account: account, kind: kind)
        let duration = duration.nanoseconds
        row.withLock { row in
            row[counters.outcome(outcome)] &+= 1
            counters.duration.record(duration, in: &row)
        }
    }

    /// How many requests were answered since the start, and how many of them with a status of 500 or more.
    var answers: (all: UInt64, errors: UInt64) {
        let totals = totals()
        var (all, errors): (UInt64, UInt64) = (0, 0)
        for route in layout.routes {
            for (label, count) in zip(StatusSlots.labels, totals[layout.counters(route: route).statuses]) {
                all += count
                if label.hasPrefix("5") { errors += count }
            }
        }
        return (all, errors)
    }

    /// The sum of all rows.
    func totals() -> [UInt64] {
        var totals = Array(repeating: UInt64(0), count: layout.counterCount)
        for row in rows {
            let row = row.withLock { $0 }
            for index in totals.indices { totals[index] &+= row[index] }
        }
        return totals
    }

    /// The calling thread's row.
    private var row: Lock<[UInt64]> { rows[Self.threadNumber % rows.count] }

    private static var threadNumber: Int {
        // The descriptors of threads are a stack and its guard page apart, so neighbors differ in the bits above a
        // page.
        Int(pthread_self() >> 12)
    }
}
