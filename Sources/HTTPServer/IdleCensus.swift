internal import Base

/// How idle a connection is, to decide which ones are closed.
struct Idleness {
    /// When the connection became idle.
    let since: MonotonicTime
    /// Whether no request on the connection was answered with a status below 400. Anyone can open such a connection.
    let isStranger: Bool
}

/// Decides which idle connections are closed to make room. It has no side effects.
///
/// Those that have been idle longest go first. If more than half of all connections are idle strangers
/// (``Idleness/isStranger``), only those go: a client that opens connections and sends nothing does not push out
/// clients that were served before.
struct IdleCensus {
    /// What to close: connections that have been idle since a given time or longer.
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

    /// Starts the choice of `wanted` connections to close.
    init(wanted: Int, _ idle: some Sequence<Idleness> = []) {
        self.wanted = wanted
        for one in idle {
            all.append(one.since)
            if one.isStranger { strangers.append(one.since) }
        }
        strangerCount = strangers.count
        cut()
    }

    /// Adds the idle connections of another loop.
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
