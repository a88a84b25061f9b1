internal import KlingAPI
internal import TaskStore

/// Where a create is sent: an account, and one of Kling's APIs. A task's record names both before anything is sent, so
/// that a create whose answer was lost is looked up through the API that it was sent through.
struct Destination: Sendable {
    let account: Account
    let dialect: KlingDialect

    /// An account, with the API that the gateway currently uses for it.
    init(_ account: Account) { self.init(account, account.capabilities.dialect) }

    init(_ account: Account, _ dialect: KlingDialect) {
        self.account = account
        self.dialect = dialect
    }

    /// The same account with the other API; `nil` if it is certain which API the account speaks.
    var alternative: Destination? { account.capabilities.alternative(to: dialect).map { Destination(account, $0) } }

    /// Whether the gateway has since switched to the other API for this account.
    var isOutdated: Bool { dialect != account.capabilities.dialect }

    /// The destination as it is written in a task's record.
    var assignment: Assignment {
        Assignment(account: account.name, identity: account.identity.number, api: dialect.rawValue)
    }

    /// Records that an answer has shown that the account speaks this API.
    func confirm() {
        guard alternative != nil, account.capabilities.learnedTraits.dialect != dialect else { return }
        account.capabilities.learn(AccountTraits(dialect: dialect))
    }
}

extension TaskRecord {
    /// The Kling API that the task was sent through. Records without one are from the time of the older API only.
    var dialect: KlingDialect { self.assignment?.api.flatMap(KlingDialect.init) ?? .kolors }
}
