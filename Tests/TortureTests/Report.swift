/// What a run has come to.
struct Report: Sendable {
    let violations: [Violation]
    /// The counts, with what they count.
    let counts: [(name: String, count: Int)]
    private let options: TortureOptions
    private let histories: [Int: [String]]

    /// How many examples of each kind are told with their history.
    private static let examples = 3

    init(_ world: World, _ books: Books, _ violations: [Violation], faults: [String: Int]) {
        self.violations = violations
        options = world.options
        counts = Counts(world, books, faults).rows
        var histories: [Int: [String]] = [:]
        for examples in Dictionary(grouping: violations, by: \.kind).values {
            for number in examples.prefix(Self.examples).compactMap(\.create) where histories[number] == nil {
                histories[number] = History(books, world.gateway).lines(number)
            }
        }
        self.histories = histories
    }

    /// The counts as a table.
    var table: String {
        let width = counts.map(\.name.count).max() ?? 0
        let lines = counts.map { row in
            "  " + row.name + String(repeating: " ", count: width - row.name.count + 2) + "\(row.count)"
        }
        return lines.joined(separator: "\n")
    }

    /// Every kind that was found, with how often, and examples with all that happened to them.
    var findings: [String] {
        let found = Dictionary(grouping: violations, by: \.kind)
        return Violation.Kind.allCases.compactMap { kind in
            guard let violations = found[kind] else { return nil }
            var lines = ["\(violations.count) × \(kind): \(kind.rawValue)"]
            for violation in violations.prefix(Self.examples) {
                lines.append("  \(violation.create.map { "create \($0): " } ?? "")\(violation.explanation)")
                lines += (violation.create.flatMap { histories[$0] } ?? []).map { "      " + $0 }
            }
            return lines.joined(separator: "\n")
        }
    }

    /// The command that makes the same choices again.
    var replay: String {
        let without = TortureOptions.Capability.allCases.filter { !options.has($0) }.map(\.rawValue)
        return "make torture KILLS=\(options.kills) CREATES=\(options.creates) SEED=\(options.seed)"
            + (without.isEmpty ? "" : " WITHOUT=\(without.joined(separator: ","))")
    }
}

/// What a run is measured by.
private struct Counts {
    let rows: [(name: String, count: Int)]

    init(_ world: World, _ books: Books, _ faults: [String: Int]) {
        let creates = Array(books.clients.creates.values)
        let attempts = creates.flatMap(\.attempts)
        func answered(_ range: ClosedRange<Int>) -> Int {
            attempts.count {
                if case .refused(let status, _, _, _, _) = $0.outcome { range.contains(status) } else { false }
            }
        }
        let known = Set(books.store.compactMap(\.upstreamID))
        let gatewayIDs = Set(books.store.map(\.id))
        let accepted = Set(creates.filter(\.isAccepted).map(\.number))
        let told = creates.filter { !$0.told.isEmpty }
        let recorded = books.upstream.filter { known.contains($0.id) }
        let (starts, kills) = world.gateway.counts
        rows = [
            ("creates", creates.count),
            ("requests for them", attempts.count),
            ("answered 200", attempts.count { if case .accepted = $0.outcome { true } else { false } }),
            ("answered 4xx", answered(400...499)),
            ("answered 5xx", answered(500...599)),
            ("not answered", attempts.count { if case .nothing = $0.outcome { true } else { false } }),
            ("not waited for", attempts.count { if case .left = $0.outcome { true } else { false } }),
            ("kills", kills),
            ("starts", starts),
            ("faults at Kling", faults.values.reduce(0, +)),
            ("queries and lists", books.clients.sightings.count),
            ("tasks at Kling", books.upstream.count),
            ("of them known to the store", recorded.count),
            ("of them adopted", Set(recorded.compactMap(\.number)).subtracting(accepted).count),
            ("told under the gateway's id", told.count { gatewayIDs.contains($0.told[0].id) }),
            ("of them accepted (queued)", told.count { $0.isAccepted && gatewayIDs.contains($0.told[0].id) }),
            ("open, not at Kling", books.store.count { !$0.isFinal && $0.upstreamID == nil }),
            ("callbacks", books.clients.callbacks.count),
            ("of them taken", books.clients.callbacks.count(where: \.wasTaken)),
        ]
    }
}
