internal import KlingAPI

/// Decides which account makes a call, and whether the account has the API that it calls.
struct SimulatedAccess: Sendable {
    private let accounts: [String]
    private let authorization: SimulatedAuthorization
    /// The APIs that each account has.
    private var apis: [SimulatedAPI]

    init(_ configuration: SimulatorConfiguration) {
        accounts = configuration.accounts.map(\.name)
        apis = configuration.accounts.map(\.api)
        authorization = SimulatedAuthorization(
            configuration.accounts, isRequired: configuration.requireTokens,
            checksTimes: configuration.checksTokenTimes)
    }

    /// Returns the account that a request's `Authorization` field belongs to, whatever APIs it has.
    func account(_ field: String?, now: Int) throws(SimulatedRefusal) -> Int {
        try authorization.open(field, now: now).account
    }

    /// Returns the account that makes a call. A call to an API that the account doesn't have is refused as an unknown
    /// method.
    /// - Parameter field: the value of the request's `Authorization`.
    func admit(_ call: SimulatedRequest.Call, _ field: String?, now: Int) throws(SimulatedRefusal) -> Int {
        // An API that no account has is absent for everyone, whatever their credentials.
        guard apis.contains(where: { $0.has(call.dialect) }) else { throw SimulatedRefusal(.invalidMethod) }
        let opened = try authorization.open(field, now: now)
        guard apis[opened.account].has(call.dialect) else { throw SimulatedRefusal(.invalidMethod) }
        guard opened.isPlain || call.dialect == .kolors else { throw SimulatedRefusal(.authorizationInvalid) }
        return opened.account
    }

    /// Changes which APIs an account has.
    /// - Parameter account: its name; nil for all.
    /// - Returns: whether there is an account of that name.
    mutating func set(_ api: SimulatedAPI, account: String?) -> Bool {
        let numbers = apis.indices.filter { [nil, accounts[$0]].contains(account) }
        for number in numbers { apis[number] = api }
        return !numbers.isEmpty
    }

    /// The APIs that each account has.
    var json: [UInt8] {
        JSONWriter.object { writer in
            writer.array("accounts") { list in
                for (account, api) in zip(accounts, apis) {
                    list.object { item in
                        item.member("account", account)
                        item.member("api", api.rawValue)
                    }
                }
            }
        }
    }
}
