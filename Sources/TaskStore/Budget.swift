/// How much a tenant's tasks may use in a period.
///
/// A task counts from its create on. It stops counting when it ends without a picture, and its units are corrected by
/// what Kling has deducted.
public struct Budget: Sendable, Equatable {
    /// What is counted.
    public enum Metric: Int, Sendable, CaseIterable {
        case tasks = 0
        /// Millionths of the units of Kling's packs.
        case units = 1
    }

    /// A higher limit for a while.
    public struct Raise: Sendable, Equatable {
        public var limit: Int64
        /// When the raise ends, in milliseconds since 1970.
        public var until: Int64

        public init(limit: Int64, until: Int64) {
            self.limit = limit
            self.until = until
        }
    }

    public var metric: Metric
    public var period: BudgetPeriod
    /// The limit without a raise: a number of tasks, or millionths of a unit.
    public var limit: Int64
    /// The share of the limit, in percent, from which the operator is warned; nil: no warning.
    public var warnAtPercent: Int?
    public var raise: Raise?

    public init(
        _ metric: Metric, per period: BudgetPeriod, limit: Int64, warnAtPercent: Int? = nil, raise: Raise? = nil
    ) {
        self.metric = metric
        self.period = period
        self.limit = limit
        self.warnAtPercent = warnAtPercent
        self.raise = raise
    }

    /// The limit at a time in milliseconds since 1970.
    public func limit(at time: Int64) -> Int64 {
        guard let raise, time < raise.until else { return limit }
        return max(limit, raise.limit)
    }
}

/// The days that a budget counts together. Days are numbered from 1970-01-01, which is 0, in the tenant's time zone.
public enum BudgetPeriod: Int, Sendable, CaseIterable {
    case day = 0
    /// From Monday on.
    case week = 1
    case month = 2
    /// All days.
    case total = 3

    /// The days of the period that has `day`.
    public func days(around day: Int) -> Range<Int> {
        switch self {
        case .day: return day..<day + 1
        case .week:
            // 1970-01-01 was a Thursday.
            let monday = day - CivilDate.remainder(day + 3, 7)
            return monday..<monday + 7
        case .month:
            let date = CivilDate(day: day)
            let first = CivilDate(year: date.year, month: date.month, day: 1)
            let next =
                date.month == 12
                ? CivilDate(year: date.year + 1, month: 1, day: 1)
                : CivilDate(year: date.year, month: date.month + 1, day: 1)
            return first.number..<next.number
        case .total: return Int(Int32.min)..<Int(Int32.max)
        }
    }
}

/// A budget, and what has been used of it.
public struct BudgetUse: Sendable, Equatable {
    public let budget: Budget
    /// What counts against the budget: tasks, or millionths of a unit. That includes ``held``.
    public let used: Int64
    /// The part of ``used`` that belongs to unfinished tasks.
    public let held: Int64
    /// The days of the current period.
    public let days: Range<Int>

    /// What may still be used at a time in milliseconds since 1970.
    public func left(at time: Int64) -> Int64 { max(0, budget.limit(at: time) - used) }
}

/// A budget that has not enough left for a task.
public struct BudgetRefusal: Sendable, Equatable {
    public let tenant: String
    public let use: BudgetUse
    /// The limit that was in force.
    public let limit: Int64
    /// What the task, or the job of several tasks, would have used at least.
    public let needed: Int64
}
