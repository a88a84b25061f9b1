internal import KlingAPI
internal import TaskStore

/// The account that a task belongs to.
extension TaskLedger {
    /// Matches a task with the account that now has the name in its record.
    func match(of record: TaskRecord) -> AccountMatch { AccountMatch(record, record.account.flatMap(accounts.named)) }

    /// The account to ask about a task; `nil` if the task was sent to none, or if that account is no longer configured.
    func account(of record: TaskRecord) -> Account? { match(of: record).account }

    /// Which of Kling's APIs a task was sent with. While the store is unavailable: the one that the account speaks now.
    func dialect(of id: TaskID, at account: Account) async -> KlingDialect {
        (try? await store.task(id))?.dialect ?? account.capabilities.dialect
    }
}
