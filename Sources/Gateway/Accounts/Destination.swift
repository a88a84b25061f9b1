internal import KlingAPI
internal import TaskStore

/// Where a create is sent: an account, and one of Kling's APIs. A task's record names both before anything is sent, so
/// that a create whose answer was lost is looked up in the API that it was sent by.
struct Destination: Sendable {
    let account: Account
    let dialect: KlingDialect

    /// The account, with the API that the gateway uses for it now.
    init(_ account: Account) { self.init(account, account.capabilities.dialect) }

    init(_ account: Account, _ dialect: KlingDialect) {
        self.account = account
        self.dialect = dialect
    }

    /// The same account with the other API, if the account may speak it.
    var alternative: Destination? { account.capabilities.alternative(to: dialect).map { Destination(account, $0) } }

    /// Whether the gateway now uses the other API for the account.
    var isOutdated: Bool { dialect != account.capabilities.dialect }

    /// How a task's record names it.
    var assignment: Assignment {
        Assignment(account: account.name, identity: account.identity.number, api: dialect.rawValue)
    }

    /// Records that the account has shown that it speaks this API.
    func confirm() {
        guard alternative != nil, account.capabilities.learnedTraits.dialect != dialect else { return }
        account.capabilities.learn(AccountTraits(dialect: dialect))
    }
}

extension TaskRecord {
    /// Which of Kling's APIs the task was sent by.
    var dialect: KlingDialect { self.assignment?.api.flatMap(KlingDialect.init) ?? .kolors }
}
