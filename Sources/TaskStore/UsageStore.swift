/// What tenants have used. Numbers stay when tasks are pruned.
public protocol UsageStore: Sendable {
    /// Returns the budgets of a tenant and what is used of them. It sees every write that has returned.
    /// - Parameter day: the current day in the tenant's time zone.
    func budgets(of tenant: String, on day: Int) async throws(StoreError) -> [BudgetUse]

    /// Returns a part of a report. Its rows are in ascending order of the dimensions asked for.
    /// - Parameters:
    ///   - skipped: the number of rows that were returned before.
    ///   - limit: the maximum number of rows.
    func report(
        _ query: UsageQuery, skipping skipped: Int, limit: Int
    ) async throws(StoreError) -> [UsageRow]
}

/// By what a report tells tasks apart.
public enum UsageDimension: String, Sendable, CaseIterable {
    case tenant
    /// The day of the create, in the tenant's time zone.
    case day
    case key, account, model, outcome
}

/// What a report is about.
public struct UsageQuery: Sendable, Equatable {
    /// The first and the last day.
    public var days: ClosedRange<Int>
    /// The dimensions of a row, in the order in which rows are sorted.
    public var dimensions: [UsageDimension]
    /// The tenant; nil: all.
    public var tenant: String?

    public init(days: ClosedRange<Int>, by dimensions: [UsageDimension], tenant: String? = nil) {
        self.days = days
        self.dimensions = dimensions
        self.tenant = tenant
    }
}

/// A row of a report: the tasks that have the same values of the dimensions asked for.
public struct UsageRow: Sendable, Equatable {
    /// The values of the dimensions asked for, in their order. A day is written as `YYYY-MM-DD`.
    public var values: [String]
    public var succeeded: Int64 = 0
    public var failed: Int64 = 0
    /// The tasks that have not ended.
    public var running: Int64 = 0
    /// The creates that were refused for good, or that no account took. No task was made.
    public var refused: Int64 = 0
    /// Millionths of a unit, those held for unfinished tasks included.
    public var units: Int64 = 0
    /// Millionths, by currency.
    public var cash: [String: Int64] = [:]
    /// The total size of the creates' bodies.
    public var bytes: Int64 = 0
    /// How long the tasks that succeeded took.
    public var times = TimeHistogram()

    /// The tasks that a client was, or may have been, given.
    public var made: Int64 { succeeded + failed + running }
}
