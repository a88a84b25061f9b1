/// The results of a run.
struct Report: Sendable {
    let violations: [Violation]
    /// The counts, with their names.
    let counts: [(name: String, count: Int)]
    /// The options of the run, without what this machine could not do.
    let options: TortureOptions
    private let histories: [Int: [String]]

    /// How many examples of each kind are shown with their history.
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

    /// Every kind of violation that was found, with its count, and examples with their history.
    var findings: [String] {
        let found = Dictionary(grouping: violations, by: \.kind)
        return Violation.Kind.allCases.compactMap { kind in
            guard let violations = found[kind] else { return nil }
            var lines = ["\(violations.count) × \(kind): \(kind.rawValue)"]
            for violation in violations.prefix(Self.examples) {
                lines.append("  \(violation.create.map { "create \($0): " } ?? "")\(violation.explanation)")
                lines += (violation.create.flatMap { histories[$0] } ?? []).map { "      " + $0 }
            }
            return lines.map(Self.clipped).joined(separator: "\n")
        }
    }

    private static let longestLine = 400

    /// A line that is safe to print, whatever its ids and messages contain.
    private static func clipped(_ line: String) -> String {
        let shown = line.unicodeScalars.prefix(longestLine).map { $0.value < 32 ? "·" : String($0) }.joined()
        return line.unicodeScalars.count > longestLine ? shown + "…" : shown
    }

    /// The command that makes the same choices again.
    var replay: String {
        let without = TortureOptions.Capability.allCases.filter { !options.has($0) }.map(\.rawValue)
        return "make torture KILLS=\(options.kills) CUTS=\(options.powerCuts) CREATES=\(options.creates)"
            + (options.replicas == 1 ? "" : " REPLICAS=\(options.replicas) DATABASE_KILLS=\(options.databaseKills)")
            + (options.failovers == 0 ? "" : " FAILOVERS=\(options.failovers)")
            + " SEED=\(options.seed)"
            + (without.isEmpty ? "" : " WITHOUT=\(without.joined(separator: ","))")
    }
}
