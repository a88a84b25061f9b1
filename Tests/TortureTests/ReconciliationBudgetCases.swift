/// Made-up books of usage and budgets.
extension ReconciliationTests {
    static let budgets = [
        Case(.usageWrong, if: "a unit that a failed task had held was not freed") {
            $0.budgets.usage["beta"]?.units = 1_000_000
        },
        Case(.usageWrong, if: "an end was counted twice") { $0.budgets.usage["alpha"]?.succeeded = 3 },
        Case(.usageWrong, if: "usage names a tenant that has no tasks") {
            $0.budgets.usage["nobody"] = BudgetBook.Usage(failed: 1)
        },
        Case(.usageWrong, if: "the budget still holds a task that has ended") {
            $0.budgets.budgets["alpha"]?.held = 1
        },
        Case(.usageWrong, if: "the budget has forgotten a task") { $0.budgets.budgets["alpha"]?.used = 1 },
        Case(.budgetPassed, if: "one task more than the budget was made") { books in
            books.budgets.budgets["alpha"] = BudgetBook.Budget(limit: 1, used: 2, held: 0)
        },
        Case(.budgetRefusedWrongly, if: "a create was refused while the budget had room") { books in
            books.budgets.budgets["alpha"] = BudgetBook.Budget(limit: 3, used: 2, held: 0)
            books.clients.creates[4] = CreateEntry(number: 4, tenant: "alpha", attempts: [.overBudget])
        },
        Case(if: "a create was refused because the budget was spent") { books in
            books.budgets.budgets["beta"] = BudgetBook.Budget(limit: 1, used: 0, held: 0)
            books.clients.creates[4] = CreateEntry(number: 4, tenant: "beta", attempts: [.overBudget])
        },
    ]
}

extension Attempt {
    fileprivate static let overBudget = Attempt(
        at: 10, .refused(status: 429, code: 1102, message: "", taskID: nil, forbidsRetry: true))
}
