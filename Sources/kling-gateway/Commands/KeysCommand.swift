internal import ArgumentParser
internal import HTTPServer
internal import KlingAPI

/// Manages the keys in the store. A new key works in a running gateway at once; a revoked one stops within a second.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make, list, revoke and rotate keys.",
        subcommands: [Create.self, List.self, Revoke.self, Rotate.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a bearer key and a pair of access key and secret key. They are shown only once.")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "The tenant whose tasks the key sees. All keys of a tenant share its tasks.") var tenant: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let wanted = JSONWriter.object { $0.member("tenant", tenant) }
            let issued = try await options.withAdmin(canCreate: true) {
                try await $0.object(.post, "keys", body: wanted)
            }
            issued.showKey(json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the store's keys, without their secrets.")

        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let keys = try await options.withAdmin { try await $0.list("keys") }
            if json { return print("[\(keys.map(\.line).joined(separator: ","))]") }
            TextTable(
                "ID", "STATUS", "TENANT", "ACCESS KEY",
                rows: keys.map { [$0.cell("id"), $0.cell("status"), $0.cell("tenant"), $0.cell("access_key")] }
            ).show(ifEmpty: "the store has no keys")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a key. It stops working within a second.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The key's id, as `keys list` shows it.") var id: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            _ = try await options.withAdmin { try await $0.object(.post, "keys/\(id)/revoke") }
            guard json else { return print("\(id) is revoked") }
            let answer = JSONWriter.object { key in
                key.member("id", id)
                key.member("status", "revoked")
            }
            print(String(decoding: answer, as: UTF8.self))
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace a key: make a new one for the same tenant, and revoke the old one.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The old key's id.") var id: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await options.withAdmin { try await $0.object(.post, "keys/\(id)/rotate") }.showKey(json)
        }
    }
}

extension JSONObject {
    /// Prints a key and its secrets. Only the webhook secret, which is the tenant's, can be shown again.
    fileprivate func showKey(_ json: Bool) {
        if json {
            let key = JSONWriter.object { writer in
                writer.member("tenant", cell("tenant"))
                writer.member("id", cell("id"))
                writer.member("key", cell("key"))
                writer.member("access_key", cell("access_key"))
                writer.member("secret_key", cell("secret_key"))
                writer.member("webhook_secret", cell("webhook_secret"))
            }
            return print(String(decoding: key, as: UTF8.self))
        }
        print(
            """
            tenant          \(cell("tenant"))
            id              \(cell("id"))
            bearer key      \(cell("key"))
            access key      \(cell("access_key"))
            secret key      \(cell("secret_key"))
            webhook secret  \(cell("webhook_secret"))

            The bearer key and the secret key are shown only once: save them now. The webhook secret belongs to the tenant:
            `kling-gateway webhooks secret` shows it again.
            """)
    }
}
