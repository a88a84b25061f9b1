internal import ArgumentParser
internal import HTTPServer
internal import KlingAPI

/// Shows tenants, and changes what they may do and use.
struct TenantsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenants", abstract: "Show tenants, and change what they may do and use.",
        subcommands: [List.self, Show.self, Edit.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List tenants with their budgets.")

        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON, one object per line.") var json = false

        func run() async throws {
            let tenants = try await options.withAdmin { try await $0.list("tenants") }
            if json {
                for tenant in tenants { print(tenant.line) }
                return
            }
            TextTable("NAME", "KEYS", "STATE", "BUDGETS", rows: tenants.map(\.row)).show(
                ifEmpty: "there are no tenants")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a tenant may do, and what is used of its budgets.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The tenant's name.") var name: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let tenant = try await options.withAdmin { try await $0.object(.get, "tenants/\(name)") }
            tenant.showTenant(json)
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change what all keys of a tenant together may do and use. It takes effect within a second.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The tenant's name.") var name: String
        @OptionGroup var rules: RuleOptions
        @OptionGroup var budgets: BudgetOptions
        @Flag(help: "Switch the tenant off: none of its keys works.") var disable = false
        @Flag(help: "Switch it on again.") var enable = false
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            if disable, enable { throw ValidationError("Give only one of --disable and --enable.") }
        }

        func run() async throws {
            let tenant = try await options.withAdmin { admin in
                let known = try await admin.tenant(name)
                let changes = try JSONWriter.checkedObject { writer in
                    try rules.write(to: &writer)
                    try budgets.write(to: &writer, changing: known)
                    if disable || enable { writer.member("disabled", disable) }
                }
                return try await admin.object(.patch, "tenants/\(name)", body: changes)
            }
            tenant.showTenant(json)
        }
    }
}

extension AdminCommand {
    /// A tenant as it is; nil if there is none of that name.
    func tenant(_ name: String) async throws -> JSONObject? {
        try await list("tenants").first { $0.string("name") == name }
    }
}

extension JSONObject {
    /// The cells of a tenant's row of the list.
    fileprivate var row: [String] {
        [
            cell("name"), cell("keys"), isTrue("disabled") ? "disabled" : "active",
            list("budgets").map(\.budget).joined(separator: ", "),
        ]
    }

    /// A budget in a few words: `tasks/month 12 of 100, raised to 150 until 2026-12-24T00:00:00Z`.
    private var budget: String {
        let use = "\(cell("metric"))/\(cell("period")) \(number("used") ?? "0") of \(number("limit") ?? "0")"
        guard let raise = object("raise") else { return use }
        return use + ", raised to \(raise.number("limit") ?? "0") until \(raise.time("until"))"
    }

    /// Prints a tenant.
    fileprivate func showTenant(_ json: Bool) {
        if json { return print(line) }
        var lines = [("tenant", cell("name")), ("keys", cell("keys")), ("time zone", cell("time_zone"))] + ruleLines
        for budget in list("budgets") {
            lines.append(("budget", "\(budget.budget), \(budget.number("left") ?? "0") left"))
        }
        for (name, value) in lines { print(name.padded(to: 20) + value) }
    }

    /// What a key or a tenant may do.
    var ruleLines: [(String, String)] {
        [
            ("requests per minute", cell("requests_per_minute", or: "no limit")),
            ("concurrency", cell("concurrency", or: "no limit")),
            ("models", texts("models").isEmpty ? "any" : texts("models").joined(separator: ", ")),
            ("addresses", texts("addresses").isEmpty ? "any" : texts("addresses").joined(separator: ", ")),
            ("expires", self["expires_at"] == nil ? "never" : time("expires_at")),
            ("disabled", isTrue("disabled") ? "yes" : "no"),
        ]
    }
}

extension String {
    /// The text with spaces up to a width.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
