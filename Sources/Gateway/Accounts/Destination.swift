internal import KlingAPI
internal import TaskStore

/// Where a create is sent: an account, and which of Kling's APIs it is spoken to by. A task's record names both before
/// anything is sent: what was lost is asked for in the API that it was sent by.
struct Destination: Sendable {
    let account: Account
    let dialect: KlingDialect

    /// The account, as it is spoken to by now.
    init(_ account: Account) { self.init(account, account.dialect) }

    init(_ account: Account, _ dialect: KlingDialect) {
        self.account = account
        self.dialect = dialect
    }

    /// The same account in its other API, if it may speak that.
    var alternative: Destination? { account.alternative(to: dialect).map { Destination(account, $0) } }

    /// Whether the account is spoken to by its other API by now.
    var isOutdated: Bool { dialect != account.dialect }

    /// The account has shown that it speaks this API.
    func confirm() {
        guard alternative != nil, account.learnedTraits.dialect != dialect else { return }
        account.learn(AccountTraits(dialect: dialect))
    }
}

extension TaskRecord.Fields {
    /// Which of Kling's APIs the task was sent by.
    var dialect: KlingDialect { api.flatMap(KlingDialect.init) ?? .kolors }
}

extension TaskStore {
    /// Writes down where a task is sent next, or that this is open again.
    func assign(_ id: TaskID, to destination: Destination?, at time: Int64) async throws(StoreError) {
        _ = try await assign(
            id, account: destination?.account.name, identity: destination?.account.identity.number,
            api: destination?.dialect.rawValue, at: time)
    }
}
