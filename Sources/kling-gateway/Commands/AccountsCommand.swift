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
        commandName: "accounts", abstract: "Show the upstream accounts, and what was learned about them.")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "As JSON, one object a line.") var json = false

    func run() async throws {
        let configuration = try options.loadForStore(.serving)
        let known = try await KeyAdministration.withStore(of: configuration) { try await $0.accounts.states() }
        let states = Dictionary(known.map { ($0.name, $0) }) { first, _ in first }
        if json {
            for upstream in configuration.upstreams { print(upstream.jsonLine(states[upstream.name])) }
            return
        }
        TextTable(
            "NAME", "URL", "STATE", "LIMIT", "REFUSED MODELS",
            rows: configuration.upstreams.map { $0.row(states[$0.name]) }
        ).show(ifEmpty: "there are no accounts")
    }
}

extension Upstream {
    /// The cells of a row of the list.
    fileprivate func row(_ state: AccountStateRecord?) -> [String] {
        let limit = concurrency.map { "\($0) at once" } ?? state?.learnedLimit.map { "\($0) at once, learned" }
        return [
            name, url.text, state?.disabledBy.map { "disabled by \($0): \(state?.reason ?? "")" } ?? "usable",
            limit ?? "none known", state?.refusedModels.joined(separator: ", ") ?? "",
        ]
    }

    /// A line of JSON for scripts.
    fileprivate func jsonLine(_ state: AccountStateRecord?) -> String {
        let json = JSONWriter.object { account in
            account.member("name", name)
            account.member("url", url.text)
            account.member("weight", weight)
            if let concurrency { account.member("concurrency", concurrency) }
            if let limit = state?.learnedLimit { account.member("learned_limit", limit) }
            account.member("disabled", state?.disabledBy != nil)
            if let code = state?.disabledBy { account.member("disabled_by", code) }
            account.member("reason", orNull: state?.reason)
            account.array("refused_models") { models in
                for model in state?.refusedModels ?? [] { models.string(model) }
            }
            account.member("api", state?.api ?? api.rawValue)
            if let hasLookup = state?.hasLookup { account.member("lookup", hasLookup) }
            if let hasUniqueIDs = state?.hasUniqueIDs { account.member("unique", hasUniqueIDs) }
        }
        return String(decoding: json, as: UTF8.self)
    }
}
