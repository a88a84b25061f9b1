import KlingAPI

/// What tenants have used agrees with their tasks and with what Kling has charged, and budgets are kept.
extension Reconciliation {
    var budgets: [Violation] { wrongUsage + passedBudgets + wrongRefusals }

    private var wrongUsage: [Violation] {
        let names = Set(books.store.map(\.tenant)).union(books.budgets.usage.keys)
        return names.sorted().flatMap { tenant -> [Violation] in
            let (said, real) = (books.budgets.usage[tenant] ?? BudgetBook.Usage(), usage(of: tenant))
            var wrong: [String] = []
            if said != real { wrong.append("the usage of \(tenant) is \(said), its tasks are \(real)") }
            if let budget = books.budgets.budgets[tenant] {
                let (used, held) = (real.running + real.succeeded, real.running)
                if budget.used != used || budget.held != held {
                    wrong.append("the budget of \(tenant) counts \(budget), its tasks are \(real)")
                }
            }
            return wrong.map { Violation(kind: .usageWrong, explanation: $0) }
        }
    }

    /// What a tenant's tasks are worth: every task that Kling has finished cost a unit, and each that runs holds one.
    func usage(of tenant: String) -> BudgetBook.Usage {
        var usage = BudgetBook.Usage()
        for row in books.store where row.tenant == tenant {
            switch row.state {
            case "succeed": usage.succeeded += 1
            case "failed": usage.failed += 1
            case "refused": usage.refused += 1
            default: usage.running += 1
            }
        }
        usage.units = (usage.running + usage.succeeded) * 1_000_000
        return usage
    }

    /// At Kling, a tenant has no more tasks that did not fail than its budget allows.
    private var passedBudgets: [Violation] {
        books.budgets.budgets.sorted { $0.key < $1.key }.compactMap { tenant, budget in
            let ids = Set(books.store.filter { $0.tenant == tenant }.map(\.id))
            let made = books.upstream.count { ids.contains($0.externalTaskID ?? "") && $0.status != "failed" }
            guard made > budget.limit else { return nil }
            return Violation(
                kind: .budgetPassed, explanation: "\(tenant) has \(made) tasks at Kling of \(budget.limit)")
        }
    }

    /// A create is refused for a budget only if its tenant has as many records as the budget allows.
    private var wrongRefusals: [Violation] {
        creates.compactMap { create in
            guard create.isOverBudget else { return nil }
            let records = books.store.count { $0.tenant == create.tenant }
            if let budget = books.budgets.budgets[create.tenant], records >= budget.limit { return nil }
            return Violation(
                kind: .budgetRefusedWrongly, create: create.number,
                explanation: "\(create.tenant) has \(records) records")
        }
    }
}

extension Attempt.Outcome {
    /// Whether a budget has refused it.
    var isOverBudget: Bool {
        guard case .refused(429, let code, _, _, _) = self else { return false }
        return code == KlingCode.resourcePackExhausted.rawValue
    }
}

extension CreateEntry {
    /// Whether a budget has refused it.
    var isOverBudget: Bool { attempts.contains { $0.outcome.isOverBudget } }
}
