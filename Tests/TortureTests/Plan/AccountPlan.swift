import TestKit

/// The accounts that creates are sent to, as the simulated Kling and the gateway know them.
struct AccountPlan: Sendable {
    let accounts: [Account]

    /// One account at the upstream.
    struct Account: Sendable, Hashable {
        /// Whose account it is, and what can be expected of it.
        enum Kind: Sendable {
            /// Kling's: it refuses a second create with the same id, and finds its tasks by that id.
            case kling
            /// A reseller's, with an API key: it finds tasks, and makes one for every create, even with the same id.
            case reseller
            /// A reseller's that finds tasks by its own ids only.
            case blind
        }

        /// Its name in the upstream's book.
        let name: String
        /// Its name at the gateway, which two accounts share if one can take the other's place there.
        let gatewayName: String
        let kind: Kind
        /// Whether it speaks Kling's newer API and not the older one.
        var isNewer = false
        let slots: Int
        /// How long it does not know a task by the gateway's id, and whether its list lags too.
        let lag: (seconds: String, isOfLists: Bool)

        static func == (one: Account, other: Account) -> Bool { one.name == other.name }
        func hash(into hasher: inout Hasher) { hasher.combine(name) }
    }

    static let swappedName = "account-0"

    init(_ options: TortureOptions) {
        var dice = Dice(seed: options.seed, "accounts")
        func account(_ name: String, as gatewayName: String? = nil, _ kind: Account.Kind, slots: Int) -> Account {
            let lag = dice.pick([(2, "0"), (2, "0.3"), (2, "1.5"), (3, "4")] + kind.longLags)
            return Account(
                name: name, gatewayName: gatewayName ?? name, kind: kind, slots: slots, lag: (lag, dice.chance(0.5)))
        }
        var accounts = (options.has(.accounts) ? [3, 4, 5] : [12]).enumerated().map { index, slots in
            account("account-\(index)", .kling, slots: slots)
        }
        if options.has(.resellers) {
            accounts += [account("reseller", .reseller, slots: 3), account("blind", .blind, slots: 2)]
        }
        if options.has(.swaps) {
            accounts.append(account("account-0-other", as: Self.swappedName, .kling, slots: 4))
        }
        let newer = accounts.lastIndex { $0.kind == .kling && $0.gatewayName != Self.swappedName }
        if options.has(.dialects), let newer { accounts[newer].isNewer = true }
        self.accounts = accounts
    }

    /// The accounts in the gateway's configuration.
    /// - Parameter swapped: whether the other account is in the first one's place.
    func configured(swapped: Bool) -> [Account] {
        accounts.filter { !isSwapped($0) || ($0.name == Self.swappedName) != swapped }
    }

    /// Whether the account shares its name at the gateway with another.
    func isSwapped(_ account: Account) -> Bool {
        accounts.count { $0.gatewayName == account.gatewayName } > 1
    }

    /// The account whose proxies refuse some requests.
    var strict: Account { accounts.first { $0.kind == .reseller } ?? accounts[accounts.count - 1] }
}

extension AccountPlan.Account.Kind {
    /// A lag longer than any plan of the gateway's: resending a create in spite of it would cost a second task.
    fileprivate var longLags: [(Int, String)] { self == .reseller ? [(9, "8")] : [] }
}

extension AccountPlan.Account {
    /// The account as an argument of the simulator.
    var argument: String {
        switch kind {
        case .kling where isNewer: "\(name)=api-key-of-\(name),slots=\(slots),api=solutions"
        case .kling: "\(name)=access-key-\(name):secret-key-\(name):\(slots)"
        case .reseller: "\(name)=api-key-of-\(name),slots=\(slots),not-unique"
        case .blind: "\(name)=api-key-of-\(name),slots=\(slots),not-unique,no-lookup"
        }
    }

    /// The account as an entry of the gateway's configuration.
    func settings(url: String) -> String {
        let credentials =
            switch kind {
            case .kling where isNewer: "api_key: api-key-of-\(name), api: solutions, lookup: yes, unique: yes"
            case .kling: "access_key: access-key-\(name), secret_key: secret-key-\(name)"
            case .reseller: "api_key: api-key-of-\(name), lookup: yes"
            case .blind: "api_key: api-key-of-\(name), lookup: no"
            }
        return "  - { name: \(gatewayName), url: \"\(url)\", timeout: 2s, \(credentials) }"
    }
}
