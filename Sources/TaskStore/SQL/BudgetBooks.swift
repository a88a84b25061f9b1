/// What tenants' budgets have left: a cache of the writing connection, so that a create costs a look into memory.
///
/// A sum is read from the tables when a task first needs it, and follows every later write. It is dropped when a
/// transaction fails, and when another connection has written.
final class BudgetBooks<Connection: StoreConnection> {
    /// What the tasks of a period count.
    private typealias Sum = BudgetSum

    private struct PeriodSum {
        let days: Range<Int>
        var sum: Sum
    }

    private struct Tenant {
        let budgets: [Budget]
        var periods: [BudgetPeriod: PeriodSum] = [:]
    }

    /// What has to be undone if the write is.
    private enum Change {
        case added(Sum, tenant: String, day: Int)
        case loaded(tenant: String)
    }

    /// How many tenants are cached. When it is full, all are evicted.
    private static var capacity: Int { 4096 }

    private unowned let connection: Connection
    private var tenants: [String: Tenant] = [:]
    private var changes: [Change] = []
    /// Whether a tenant may have a sum that follows writes. Few gateways have budgets.
    private var hasPeriods = false

    init(_ connection: Connection) { self.connection = connection }

    // MARK: Tasks

    /// Checks that every budget of the tenant has room for a task.
    /// - Throws: `budgetSpent`.
    func admit(_ task: TaskRecord) throws(StoreError) {
        let budgets = try tenant(task.tenant).budgets
        for budget in budgets {
            let use = try use(of: budget, task.tenant, on: task.day)
            let needed = budget.metric == .tasks ? 1 : task.charge.units
            let limit = budget.limit(at: task.createdAt)
            guard use.used + needed > limit else { continue }
            throw StoreError(
                .budgetSpent, "the \(budget.metric) budget of \(task.tenant) is spent",
                budget: BudgetRefusal(tenant: task.tenant, use: use, limit: limit, needed: needed))
        }
    }

    /// Counts a task that was written.
    /// - Parameter before: the record before; nil if the task is new.
    func note(_ task: TaskRecord, before: TaskRecord?) {
        guard hasPeriods, let tenant = tenants[task.tenant], !tenant.periods.isEmpty else { return }
        let change = Sum(of: task) - (before.map(Sum.init(of:)) ?? Sum())
        add(change, tenant: task.tenant, day: task.day)
        changes.append(.added(change, tenant: task.tenant, day: task.day))
    }

    /// The budgets of a tenant, with what is used of them on a day.
    func uses(of name: String, on day: Int) throws(StoreError) -> [BudgetUse] {
        var uses: [BudgetUse] = []
        for budget in try tenant(name).budgets { uses.append(try use(of: budget, name, on: day)) }
        return uses
    }

    // MARK: Undoing

    /// The end of what was written so far, for ``undo(after:)``.
    var mark: Int { changes.count }

    /// Uncounts what was written after `mark`, because it was rolled back.
    func undo(after mark: Int) {
        while changes.count > mark, let change = changes.popLast() {
            switch change {
            case .added(let sum, let tenant, let day): add(Sum() - sum, tenant: tenant, day: day)
            case .loaded(let tenant): tenants[tenant] = nil
            }
        }
    }

    /// Keeps what was written so far.
    func keep() { changes.removeAll(keepingCapacity: true) }

    /// Forgets a tenant whose budgets have changed.
    func forget(_ tenant: String) {
        tenants[tenant] = nil
        // If the change is undone, what is read until then is wrong.
        changes.append(.loaded(tenant: tenant))
    }

    /// Forgets everything.
    func forget() {
        tenants = [:]
        changes = []
    }

    // MARK: The cache

    private func add(_ sum: Sum, tenant: String, day: Int) {
        for period in tenants[tenant]?.periods.keys.map(\.self) ?? [] {
            guard tenants[tenant]?.periods[period]?.days.contains(day) == true else { continue }
            tenants[tenant]?.periods[period]?.sum += sum
        }
    }

    private func tenant(_ name: String) throws(StoreError) -> Tenant {
        if let known = tenants[name] { return known }
        let select = try connection.statement(.budgetsOf)
        select.bind(1, name)
        if tenants.count >= Self.capacity { tenants.removeAll(keepingCapacity: true) }
        let tenant = Tenant(budgets: try select.rows { Budget(row: $0) })
        if !tenant.budgets.isEmpty { try connection.lock(.tenant(name)) }
        tenants[name] = tenant
        changes.append(.loaded(tenant: name))
        return tenant
    }

    /// Caches the budgets of a tenant, which were read.
    func keep(_ budgets: [Budget], of tenant: String) { tenants[tenant] = Tenant(budgets: budgets) }

    private func use(of budget: Budget, _ tenant: String, on day: Int) throws(StoreError) -> BudgetUse {
        let known = tenants[tenant]?.periods[budget.period]
        let period: PeriodSum
        if let known, known.days.contains(day) {
            period = known
        } else {
            let days = budget.period.days(around: day)
            period = PeriodSum(days: days, sum: try sum(tenant, days))
            tenants[tenant]?.periods[budget.period] = period
            hasPeriods = true
            changes.append(.loaded(tenant: tenant))
        }
        let sum = period.sum
        return switch budget.metric {
        case .tasks: BudgetUse(budget: budget, used: sum.tasks, held: sum.heldTasks, days: period.days)
        case .units: BudgetUse(budget: budget, used: sum.units, held: sum.heldUnits, days: period.days)
        }
    }

    /// Adds up the tasks of a tenant on some days.
    private func sum(_ tenant: String, _ days: Range<Int>) throws(StoreError) -> Sum {
        var sum = try unfinished(tenant, days)
        let (tasks, units) = try connection.usage(of: tenant, on: days)
        sum += Sum(tasks: tasks, units: units)
        return sum
    }

    private func unfinished(_ tenant: String, _ days: Range<Int>) throws(StoreError) -> Sum {
        let select = try connection.statement(.unfinishedUsage)
        select.bind(1, tenant)
        select.bind(2, days.lowerBound)
        select.bind(3, days.upperBound - 1)
        return try select.first {
            let (tasks, units) = ($0.integer(0), $0.integer(1))
            return Sum(tasks: tasks, units: units, heldTasks: tasks, heldUnits: units)
        } ?? Sum()
    }
}

/// What the tasks of a period count.
private struct BudgetSum {
    var tasks: Int64 = 0
    var units: Int64 = 0
    /// The parts that belong to unfinished tasks.
    var heldTasks: Int64 = 0
    var heldUnits: Int64 = 0

    static func - (one: Self, other: Self) -> Self {
        Self(
            tasks: one.tasks - other.tasks, units: one.units - other.units,
            heldTasks: one.heldTasks - other.heldTasks, heldUnits: one.heldUnits - other.heldUnits)
    }

    static func += (one: inout Self, other: Self) { one = one - (Self() - other) }
}

extension BudgetSum {
    /// What a task counts.
    fileprivate init(of task: TaskRecord) {
        let isHeld = !task.state.isFinal
        tasks = isHeld || task.state == .succeed ? 1 : 0
        units = task.charge.units
        heldTasks = isHeld ? 1 : 0
        heldUnits = isHeld ? units : 0
    }
}

extension Budget {
    /// Reads the columns of the statement that selects budgets.
    init(row: some StoreStatement) {
        self.init(
            Metric(rawValue: Int(row.integer(1))) ?? .tasks,
            per: BudgetPeriod(rawValue: Int(row.integer(2))) ?? .total, limit: row.integer(3),
            warnAtPercent: row.optionalInteger(4).map(Int.init),
            raise: row.optionalInteger(5).map { Raise(limit: $0, until: row.integer(6)) })
    }
}
