internal import ArgumentParser
internal import Base
internal import KlingSimulator

/// Which accounts the simulated Kling has: those that are named, or else one with the keys given here.
struct SimulatedAccountOptions: ParsableArguments {
    @Option(help: "An account in place of the one below, \(SimulatedAccount.usage); may be repeated.")
    var account: [String] = []
    @Option(help: "The access key that is accepted.")
    var accessKey = "simulated-access-key"
    @Option(help: "Its secret key.")
    var secretKey = "simulated-secret-key"
    @Option(help: "The API key that is accepted as well: the new interface takes no other.")
    var apiKey = "simulated-api-key"
    @Option(help: "How many tasks may run at once; no limit unless given.")
    var concurrency: Int?
    @Option(help: "Which interfaces every account has, \(SimulatedAPI.usage): the old one unless given.")
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
                throw ValidationError("--account '\(text)' is none: write \(SimulatedAccount.usage)")
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
            throw ValidationError("\(option) '\(word)' is none: write one of \(usage)")
        }
        self = choice
    }
}
