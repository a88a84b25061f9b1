internal import ArgumentParser
internal import HTTPServer
internal import KlingAPI

/// Manages the keys in the store. A new key works in a running gateway at once; a changed one within a second.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make, show, change, rotate and revoke keys.",
        subcommands: [
            Create.self, List.self, Show.self, Edit.self, Disable.self, Enable.self, Rotate.self, Revoke.self,
        ])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a bearer key and a pair of access key and secret key. They are shown only once.")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "The tenant whose tasks the key sees. All keys of a tenant share its tasks.") var tenant: String
        @Option(help: "What people call the key.") var name: String?
        @OptionGroup var rules: RuleOptions
        @OptionGroup var budgets: BudgetOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let issued = try await options.withAdmin(canCreate: true) { admin in
                let known = budgets.isEmpty ? nil : try await admin.tenant(tenant)
                let wanted = try JSONWriter.checkedObject { writer in
                    writer.member("tenant", tenant)
                    writer.member("name", ifPresent: name)
                    try rules.write(to: &writer)
                    if budgets.isEmpty { return }
                    let settings = try JSONWriter.checkedObject { try budgets.write(to: &$0, changing: known) }
                    writer.member("tenant_settings", json: settings)
                }
                return try await admin.object(.post, "keys", body: wanted)
            }
            issued.showKey(json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the store's keys, without their secrets.")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "Only keys of this tenant.") var tenant: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let keys = try await options.withAdmin { try await $0.list("keys", query: [("tenant", tenant)]) }
            if json { return print("[\(keys.map(\.line).joined(separator: ","))]") }
            TextTable(
                "ID", "STATUS", "TENANT", "ACCESS KEY",
                rows: keys.map { [$0.cell("id"), $0.cell("status"), $0.cell("tenant"), $0.cell("access_key")] }
            ).show(ifEmpty: "the store has no keys")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a key and what it may do, without its secrets.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The key's id, as `keys list` shows it.") var id: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let key = try await options.withAdmin { try await $0.object(.get, "keys/\(id)") }
            key.showRules(json)
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a key's name and what it may do. It takes effect within a second.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The key's id, as `keys list` shows it.") var id: String
        @Option(help: "What people call the key.") var name: String?
        @OptionGroup var rules: RuleOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let changes = try JSONWriter.checkedObject { writer in
                writer.member("name", ifPresent: name)
                try rules.write(to: &writer)
            }
            let key = try await options.withAdmin { try await $0.object(.patch, "keys/\(id)", body: changes) }
            key.showRules(json)
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Switch a key off until it is enabled. It stops working within a second.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The key's id, as `keys list` shows it.") var id: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws { try await options.switchKey(id, isDisabled: true, json) }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Switch a disabled key on again.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The key's id, as `keys list` shows it.") var id: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws { try await options.switchKey(id, isDisabled: false, json) }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a key new secrets. It keeps its id, its limits and its use.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The key's id, as `keys list` shows it.") var id: String
        @Option(help: "How long the old secrets work too: 30m, 24h, 7d.") var overlap = "0"
        @Flag(help: "Print JSON.") var json = false

        func validate() throws { _ = try OperatorTime.seconds(overlap, "--overlap") }

        func run() async throws {
            let seconds = try OperatorTime.seconds(overlap, "--overlap")
            let wanted = JSONWriter.object { $0.member("overlap_seconds", seconds) }
            let issued = try await options.withAdmin { try await $0.object(.post, "keys/\(id)/rotate", body: wanted) }
            issued.showKey(json)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a key. It stops working within a second.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The key's id, as `keys list` shows it.") var id: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            _ = try await options.withAdmin { try await $0.object(.post, "keys/\(id)/revoke") }
            printStatus(id, "revoked", json)
        }
    }
}

extension ConfigurationOptions {
    fileprivate func switchKey(_ id: String, isDisabled: Bool, _ json: Bool) async throws {
        let change = JSONWriter.object { $0.member("disabled", isDisabled) }
        let key = try await withAdmin { try await $0.object(.patch, "keys/\(id)", body: change) }
        printStatus(id, key.cell("status"), json)
    }
}

/// Prints what has become of a key.
private func printStatus(_ id: String, _ status: String, _ json: Bool) {
    guard json else { return print("\(id) is \(status)") }
    let answer = JSONWriter.object { key in
        key.member("id", id)
        key.member("status", status)
    }
    print(String(decoding: answer, as: UTF8.self))
}
