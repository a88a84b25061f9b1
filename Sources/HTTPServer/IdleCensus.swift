internal import Base

/// An idle connection, as it is weighed against others when some have to be closed.
struct Idleness {
    /// Since when.
    let since: MonotonicTime
    /// Whether nothing was done for it yet: no request was answered with less than 400. Anybody can have such a one.
    let isStranger: Bool
}

/// Which idle connections are closed to make room. Pure.
///
/// Those that have been idle longest go first. Where more than half of all connections are idle strangers', only those
/// go: whoever opens connections and sends nothing pushes out no client that was served before.
struct IdleCensus {
    /// What is closed: idle connections up to a time.
    struct Cut: Equatable {
        let last: MonotonicTime
        let sparesServed: Bool

        func includes(_ idleness: Idleness) -> Bool {
            idleness.since <= last && (idleness.isStranger || !sparesServed)
        }
    }

    private var all: [MonotonicTime] = []
    private var strangers: [MonotonicTime] = []
    private var strangerCount = 0
    private let wanted: Int

    /// Looks for `wanted` connections.
    init(wanted: Int, _ idle: some Sequence<Idleness> = []) {
        self.wanted = wanted
        for one in idle {
            all.append(one.since)
            if one.isStranger { strangers.append(one.since) }
        }
        strangerCount = strangers.count
        cut()
    }

    /// Adds those of another loop.
    mutating func add(_ other: IdleCensus) {
        all += other.all
        strangers += other.strangers
        strangerCount += other.strangerCount
        cut()
    }

    private mutating func cut() {
        all = Array(all.sorted().prefix(wanted))
        strangers = Array(strangers.sorted().prefix(wanted))
    }

    /// What to close of `open` connections; nil if none is idle.
    func cut(of open: Int) -> Cut? {
        let sparesServed = strangerCount * 2 > open
        return (sparesServed ? strangers : all).last.map { Cut(last: $0, sparesServed: sparesServed) }
    }
}
