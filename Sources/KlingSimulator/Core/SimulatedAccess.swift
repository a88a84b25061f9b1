internal import KlingAPI

/// Finds the account that makes a call, and checks that the account has the API that is called.
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

    /// Returns the account that a request's `Authorization` field belongs to, regardless of its APIs.
    func account(_ field: String?, now: Int) throws(SimulatedRefusal) -> Int {
        try authorization.authenticate(field, now: now).account
    }

    /// Returns the account that makes a call. A call to an API that the account doesn't have is refused as an unknown
    /// method.
    /// - Parameter field: the value of the request's `Authorization`.
    func admit(_ call: SimulatedRequest.Call, _ field: String?, now: Int) throws(SimulatedRefusal) -> Int {
        // An API that no account has is absent for every client, even with invalid credentials.
        guard apis.contains(where: { $0.has(call.dialect) }) else { throw SimulatedRefusal(.invalidMethod) }
        let caller = try authorization.authenticate(field, now: now)
        guard apis[caller.account].has(call.dialect) else { throw SimulatedRefusal(.invalidMethod) }
        guard caller.isPlain || call.dialect == .kolors else { throw SimulatedRefusal(.authorizationInvalid) }
        return caller.account
    }

    /// Changes which APIs an account has.
    /// - Parameter account: its name; nil for all.
    /// - Returns: whether there is an account of that name.
    mutating func set(_ api: SimulatedAPI, account: String?) -> Bool {
        let indices = apis.indices.filter { account == nil || account == accounts[$0] }
        for index in indices { apis[index] = api }
        return !indices.isEmpty
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
