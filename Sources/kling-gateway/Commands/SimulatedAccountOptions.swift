internal import ArgumentParser
internal import Base
internal import KlingSimulator

/// Which accounts the simulated Kling has: those that are named, or else one with the keys given here.
struct SimulatedAccountOptions: ParsableArguments {
    @Option(
        help:
            "An account, instead of the one that the options below describe: \(SimulatedAccount.usage); may be repeated."
    )
    var account: [String] = []
    @Option(help: "The access key of the account.")
    var accessKey = "simulated-access-key"
    @Option(help: "The secret key of the account.")
    var secretKey = "simulated-secret-key"
    @Option(help: "The API key of the account, which is the only key that the newer API accepts.")
    var apiKey = "simulated-api-key"
    @Option(help: "How many tasks may run at once; by default, there is no limit.")
    var concurrency: Int?
    @Option(help: "The APIs that every account has, \(SimulatedAPI.usage); by default, the older one.")
    var api: String?

    /// The environment variables that give a client the keys of the one account; nil if accounts are named.
    var environment: String? {
        guard account.isEmpty else { return nil }
        return api ?? SimulatedAPI.kolors.rawValue == SimulatedAPI.kolors.rawValue
            ? "KLING_ACCESS_KEY=\(accessKey) KLING_SECRET_KEY=\(secretKey)" : "KLING_API_KEY=\(apiKey)"
    }

    /// The accounts.
    /// - Throws: `ValidationError`.
    func accounts() throws -> [SimulatedAccount] {
        var accounts = try namedAccounts()
        guard let word = api else { return accounts }
        let api = try SimulatedAPI(word, of: "--api", SimulatedAPI.usage)
        for index in accounts.indices { accounts[index].api = api }
        return accounts
    }

    private func namedAccounts() throws -> [SimulatedAccount] {
        guard !account.isEmpty else {
            let keys = [
                SimulatedAccount.Key.signed(accessKey: accessKey, secretKey: Secret(secretKey)),
                .plain(Secret(apiKey)),
            ]
            return [SimulatedAccount(name: "simulated", keys: keys, concurrency: concurrency)]
        }
        return try account.map { text in
            guard let account = SimulatedAccount(text) else {
                throw ValidationError("--account '\(text)' is not an account: give \(SimulatedAccount.usage)")
            }
            return account
        }
    }
}

extension RawRepresentable<String> {
    /// Parses the value of an option that is one of a few words.
    /// - Parameter usage: the words, for the message of the error.
    /// - Throws: `ValidationError`.
    init(_ word: String, of option: String, _ usage: String) throws {
        guard let choice = Self(rawValue: word) else {
            throw ValidationError("\(option) is '\(word)', but must be one of \(usage)")
        }
        self = choice
    }
}
