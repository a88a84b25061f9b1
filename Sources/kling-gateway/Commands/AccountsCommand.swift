internal import ArgumentParser
internal import Gateway
internal import GatewayConfiguration
internal import KlingAPI
internal import TaskStore

/// Shows what is known about the upstream accounts, as of the last change that a gateway stored.
struct AccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Show the upstream accounts, and what was learned about them.",
        discussion:
            "With --check, each account is also checked with free calls, and the exit status is 1 if one does not "
            + "work. This needs no store.")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Check each account with free calls, and say what is wrong with it.") var check = false
    @Flag(help: "Print JSON, one object per line.") var json = false

    func run() async throws {
        let accounts = try await check ? checked() : options.withAdmin(.serving) { try await $0.list("accounts") }
        if json {
            for account in accounts { print(account.line) }
        } else {
            TextTable("NAME", "URL", "STATE", "LIMIT", "REFUSED MODELS", rows: accounts.map(\.row))
                .show(ifEmpty: "there are no accounts")
            for account in accounts where account.problem != nil {
                print("\n\(account.cell("name")): \(account.cell("problem"))")
            }
        }
        if check, accounts.contains(where: { $0.problem != nil }) { throw ExitCode.failure }
    }

    /// Calls the accounts, and adds what the store knows of them.
    private func checked() async throws -> [JSONObject] {
        let configuration = try options.load()
        do {
            let known =
                try await configuration.isStoreMissing
                ? [] : configuration.withStore { try await $0.accounts.states() }
            let found = try await AccountChecks(configuration.upstreams).problems()
            return configuration.upstreams.compactMap { upstream in
                let account = AdminAccount(
                    upstream, known.first { $0.name == upstream.name }, found: .some(found[upstream.name]))
                return JSONObject(account.json)
            }
        } catch {
            throw fail("\(error)")
        }
    }
}

extension JSONObject {
    /// What is wrong with an account.
    fileprivate var problem: String? { string("problem") }

    /// The cells of an account's row of the list.
    fileprivate var row: [String] {
        let limit =
            integer("concurrency").map { "\($0) at once" } ?? integer("learned_limit").map { "\($0) at once, learned" }
        return [
            cell("name"), cell("url"), word, limit ?? "none known", texts("refused_models").joined(separator: ", "),
        ]
    }

    private var word: String {
        if let code = integer("disabled_by") { return "disabled by \(code): \(cell("reason"))" }
        if problem != nil { return "does not work" }
        return isTrue("reached") ? "usable" : "not reached yet"
    }
}
