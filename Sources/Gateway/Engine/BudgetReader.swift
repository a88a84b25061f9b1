internal import Base
internal import TaskStore

/// Reads what tenants have used of their budgets, a few tenants at a time.
///
/// Any thread may call, but only one call may run at a time.
final class BudgetReader: Sendable {
    private struct Tenant: Sendable {
        let name: String
        let zone: DayZone
    }

    private struct State {
        /// The version of the rules that ``tenants`` is from.
        var version: Int64?
        /// The tenants that have budgets.
        var tenants: [Tenant] = []
        /// The tenant to read next.
        var next = 0
        var figures: [String: [BudgetFigures]] = [:]

        /// Takes up to `count` tenants, after those that were taken last.
        mutating func turn(_ count: Int) -> [Tenant] {
            if next >= tenants.count { next = 0 }
            defer { next += count }
            return Array(tenants.dropFirst(next).prefix(count))
        }
    }

    /// Each read is a turn of the store's writer.
    private static let tenantsPerRound = 100

    private let state = Lock(State())

    /// Reads the next tenants.
    /// - Parameter now: milliseconds since 1970.
    /// - Returns: the budgets of all tenants, those used most first, each as it was last read.
    func read(from store: any TaskStore, at now: Int64) async throws(StoreError) -> [BudgetFigures] {
        try await readRules(from: store.keys)
        for tenant in state.withLock({ $0.turn(Self.tenantsPerRound) }) {
            let uses = try await store.usage.budgets(of: tenant.name, on: tenant.zone.day(of: now))
            let figures = uses.map { use in
                BudgetFigures(
                    tenant: tenant.name, use: use, limit: use.budget.limit(at: now),
                    resetsAt: use.budget.period == .total ? nil : tenant.zone.start(ofDay: use.days.upperBound))
            }
            state.withLock { $0.figures[tenant.name] = figures }
        }
        let all = state.withLock { $0.figures.values.flatMap(\.self) }
        return Array(all.sorted { ($1.usedRatio, $0.tenant) < ($0.usedRatio, $1.tenant) }.prefix(BudgetFigures.most))
    }

    private func readRules(from keys: any KeyStore) async throws(StoreError) {
        let version = try await keys.version()
        if state.withLock({ $0.version == version }) { return }
        let rules = try await keys.tenantRules().filter { !$0.budgets.isEmpty }
        let tenants = rules.map { Tenant(name: $0.name, zone: DayZone.named($0.timeZone) ?? .utc) }
        state.withLock { state in
            (state.version, state.tenants, state.next) = (version, tenants, 0)
            let names = Set(tenants.map(\.name))
            state.figures = state.figures.filter { names.contains($0.key) }
        }
    }
}
