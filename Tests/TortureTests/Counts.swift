/// The figures of a run.
struct Counts {
    private let world: World
    private let books: Books
    private let faults: [String: Int]
    private let creates: [CreateEntry]
    private let attempts: [Attempt]

    typealias Row = (name: String, count: Int)

    init(_ world: World, _ books: Books, _ faults: [String: Int]) {
        self.world = world
        self.books = books
        self.faults = faults
        creates = Array(books.clients.creates.values)
        attempts = creates.flatMap(\.attempts)
    }

    var rows: [Row] { requests + repeats + troubles + powerCuts + upstream + ends }

    private var requests: [Row] {
        [
            ("creates", creates.count),
            ("requests for them", attempts.count),
            ("answered 200", attempts.count { if case .accepted = $0.outcome { true } else { false } }),
            ("answered 4xx", answered(400...499)),
            ("refused for a budget", attempts.count { $0.outcome.isOverBudget }),
            ("answered 5xx", answered(500...599)),
            ("not answered", attempts.count { if case .nothing = $0.outcome { true } else { false } }),
            ("not waited for", attempts.count { if case .left = $0.outcome { true } else { false } }),
            ("cut before the answer", attempts.count { $0.outcome == .cut(hasArrived: false) }),
            ("cut in the middle of it", attempts.count { $0.outcome == .cut(hasArrived: true) }),
            ("queries and lists", books.clients.sightings.count),
            ("of them to be asked again later", books.clients.sightings.count { $0.finding == .later }),
        ]
    }

    private func answered(_ range: ClosedRange<Int>) -> Int {
        attempts.count {
            if case .refused(let status, _, _, _, _) = $0.outcome { range.contains(status) } else { false }
        }
    }

    /// Creates that were resent without a key, and creates that were wanted twice.
    private var repeats: [Row] {
        let made = Dictionary(grouping: books.upstream.compactMap(\.number)) { $0 }.mapValues(\.count)
        let twins = creates.filter { $0.wanted > 1 }
        return [
            ("sent again without a key", creates.count { $0.resends && $0.attempts.count > $0.acceptances.count }),
            ("attached to an earlier one", attempts.count { $0.isReplay }),
            ("wanted twice", twins.count),
            ("of them made twice", twins.count { (made[$0.number] ?? 0) > 1 }),
            (
                "made again after a torn answer",
                creates.count { (made[$0.number] ?? 0) > $0.wanted && $0.tornAnswers > 0 }
            ),
        ]
    }

    private var troubles: [Row] {
        let (starts, kills, swaps) = world.gateway.counts
        return [
            ("kills", kills),
            ("failovers to a standby", world.gateway.failovers),
            ("starts", starts),
            ("keys changed", swaps),
            ("outages of the store", books.clients.outages.count),
            ("moments in which the machine was too busy", books.clients.lags.count),
            ("clock steps", books.clients.clockSteps),
            ("faults at Kling", faults.values.reduce(0, +)),
        ]
    }

    private var powerCuts: [Row] {
        let losses = world.gateway.losses
        return [
            ("power cuts", books.clients.powerCuts.count),
            ("changes of files that were not synced then", losses.atRisk),
            ("of them lost, in whole or in part", losses.changes + losses.names),
            ("bytes lost", losses.bytes),
            ("bytes by which files became shorter", losses.cutOff),
        ]
    }

    private var upstream: [Row] {
        let arrived = Dictionary(grouping: books.arrivals, by: \.outcome).mapValues(\.count)
        let known = Set(books.store.compactMap(\.upstreamID))
        let recorded = books.upstream.filter { known.contains($0.id) }
        let accepted = Set(creates.filter(\.isAccepted).map(\.number))
        return [
            ("creates at Kling, made", arrived[.made] ?? 0),
            ("creates at Kling, refused", arrived[.refused] ?? 0),
            ("creates at Kling, unclear", arrived[.unclear] ?? 0),
            ("tasks at Kling", books.upstream.count),
            (
                "of them at resellers",
                books.upstream.count { books.accounts[$0.account].map { $0.kind != .kling } == true }
            ),
            ("of them known to the store", recorded.count),
            ("of them adopted", Set(recorded.compactMap(\.number)).subtracting(accepted).count),
        ]
    }

    private var ends: [Row] {
        let gatewayIDs = Set(books.store.map(\.id))
        let told = creates.filter { !$0.told.isEmpty && gatewayIDs.contains($0.told[0].id) }
        let reconciliation = Reconciliation(books)
        return [
            ("told under the gateway's id", told.count),
            ("of them accepted (queued)", told.count(where: \.isAccepted)),
            ("open, not at Kling", books.store.count { !$0.isFinal && $0.upstreamID == nil }),
            ("open at the end, as they may be", books.store.count { reconciliation.mayStayOpen($0) }),
            ("callbacks", books.clients.callbacks.count),
            ("of them taken", books.clients.callbacks.count(where: \.wasTaken)),
        ]
    }
}
