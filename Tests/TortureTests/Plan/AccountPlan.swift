/// The accounts that creates are sent to, as the simulated Kling and the gateway know them.
struct AccountPlan: Sendable {
    let accounts: [Account]

    /// One account, with books of its own.
    struct Account: Sendable, Hashable {
        /// Whose account it is, and what can be expected of it.
        enum Kind: Sendable {
            /// Kling's: it refuses a second create of one id, and finds its tasks by that.
            case kling
            /// A reseller's, with an API key: it finds tasks, and makes as many of one id as it is asked for.
            case reseller
            /// The same, and it finds tasks by its own ids alone.
            case blind
        }

        /// Its name in the upstream's book.
        let name: String
        /// Its name at the gateway: two have the same if one takes the other's place there.
        let gatewayName: String
        let kind: Kind
        /// Whether it speaks Kling's newer API, and not the older one.
        var isNewer = false
        let slots: Int
        /// How long it doesn't know a task by the gateway's id, and whether its list lags as well.
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

    /// The accounts that the gateway has.
    /// - Parameter swapped: whether the one account is in the other's place.
    func configured(swapped: Bool) -> [Account] {
        accounts.filter { !isSwapped($0) || ($0.name == Self.swappedName) != swapped }
    }

    /// Whether the account shares its name at the gateway with another.
    func isSwapped(_ account: Account) -> Bool {
        accounts.count { $0.gatewayName == account.gatewayName } > 1
    }

    /// The one whose proxies refuse what they do not like.
    var moody: Account { accounts.first { $0.kind == .reseller } ?? accounts[accounts.count - 1] }
}

extension AccountPlan.Account.Kind {
    /// What is longer than any plan of the gateway's: it costs a second task if a create is sent again after all.
    fileprivate var longLags: [(Int, String)] { self == .reseller ? [(9, "8")] : [] }
}

extension AccountPlan.Account {
    /// As the simulator's command line takes it.
    var argument: String {
        switch kind {
        case .kling where isNewer: "\(name)=api-key-of-\(name),slots=\(slots),api=solutions"
        case .kling: "\(name)=access-key-\(name):secret-key-\(name):\(slots)"
        case .reseller: "\(name)=api-key-of-\(name),slots=\(slots),not-unique"
        case .blind: "\(name)=api-key-of-\(name),slots=\(slots),not-unique,no-lookup"
        }
    }

    /// As the gateway's configuration takes it.
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
