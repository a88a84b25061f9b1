/// The accounts that work may be sent to.
public struct Accounts: Sendable {
    private let all: [Account]
    private let byName: [String: Account]

    /// At least one account, with names of their own.
    public init(_ accounts: [Account]) {
        all = accounts
        byName = Dictionary(accounts.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The account of that name, to which a task that it has always goes back.
    func named(_ name: String) -> Account? { byName[name] }

    /// The account to send a new task to.
    func choose(model: String) throws(GatewayError) -> Account {
        guard let account = all.first(where: { $0.serves(model) }) else {
            throw GatewayError(
                .accountsDisabled, "No upstream account of this gateway serves \(model). Its operator must add one.")
        }
        return account
    }
}
