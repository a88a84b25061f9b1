internal import ArgumentParser
internal import Base
internal import Foundation
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
        let configuration = try check ? options.load() : options.loadForStore(.serving)
        let states = try await states(configuration)
        let found = check ? try await AccountChecks(configuration.upstreams).problems() : nil
        let lines = configuration.upstreams.map { upstream in
            AccountLine(upstream, states[upstream.name], found.map { $0[upstream.name] })
        }
        if json {
            for line in lines { print(line.json) }
        } else {
            TextTable("NAME", "URL", "STATE", "LIMIT", "REFUSED MODELS", rows: lines.map(\.cells))
                .show(ifEmpty: "there are no accounts")
            for line in lines { if let problem = line.problem { print("\n\(line.name): \(problem)") } }
        }
        if check, lines.contains(where: { $0.problem != nil }) { throw ExitCode.failure }
    }

    private func states(_ configuration: Configuration) async throws -> [String: AccountStateRecord] {
        if check, configuration.isStoreMissing { return [:] }
        let known = try await KeyAdministration.withStore(of: configuration) { try await $0.accounts.states() }
        return Dictionary(known.map { ($0.name, $0) }) { first, _ in first }
    }
}

/// What is shown of an account.
private struct AccountLine {
    private let upstream: Upstream
    private let state: AccountStateRecord?
    private let isChecked: Bool
    /// What is wrong with it, as found now or stored.
    let problem: String?

    /// - Parameters:
    ///   - state: what the store knows.
    ///   - found: what was found now; nil: the account was not called.
    init(_ upstream: Upstream, _ state: AccountStateRecord?, _ found: AccountProblem??) {
        (self.upstream, self.state) = (upstream, state)
        isChecked = found != nil
        problem = if let found { found?.text } else { state?.problem }
    }

    var name: String { upstream.name }

    private var isReached: Bool { problem == nil && (isChecked || state?.wasReached == true) }

    /// The cells of a row of the list.
    var cells: [String] {
        let limit = upstream.concurrency.map { "\($0) at once" } ?? state?.learnedLimit.map { "\($0) at once, learned" }
        return [
            name, upstream.url.text, word, limit ?? "none known", state?.refusedModels.joined(separator: ", ") ?? "",
        ]
    }

    private var word: String {
        if let code = state?.disabledBy { return "disabled by \(code): \(state?.reason ?? "")" }
        if problem != nil { return "does not work" }
        return isReached ? "usable" : "not reached yet"
    }

    /// A line of JSON for scripts.
    var json: String {
        let json = JSONWriter.object { account in
            account.member("name", name)
            account.member("url", upstream.url.text)
            account.member("weight", upstream.weight)
            if let concurrency = upstream.concurrency { account.member("concurrency", concurrency) }
            if let limit = state?.learnedLimit { account.member("learned_limit", limit) }
            account.member("disabled", state?.disabledBy != nil)
            if let code = state?.disabledBy { account.member("disabled_by", code) }
            account.member("reason", orNull: state?.reason)
            account.member("reached", isReached)
            account.member("problem", orNull: problem)
            account.array("refused_models") { models in
                for model in state?.refusedModels ?? [] { models.string(model) }
            }
            account.member("api", state?.api ?? upstream.api.rawValue)
            if let hasLookup = state?.hasLookup { account.member("lookup", hasLookup) }
            if let hasUniqueIDs = state?.hasUniqueIDs { account.member("unique", hasUniqueIDs) }
        }
        return String(decoding: json, as: UTF8.self)
    }
}
