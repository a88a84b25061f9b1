internal import ArgumentParser
internal import Base
internal import Gateway
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
            let issued = try await KeyAdministration.create(tenant: tenant, options.loadForStore(canCreate: true))
            issued.show(json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the store's keys, without their secrets.")

        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let keys = try await KeyAdministration.list(options.loadForStore())
            if json { return print(String(decoding: ListedKey.json(keys), as: UTF8.self)) }
            TextTable(
                "ID", "STATUS", "TENANT", "ACCESS KEY",
                rows: keys.map { [$0.id, $0.status.rawValue, $0.tenant, $0.accessKey] }
            ).show(ifEmpty: "the store has no keys")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a key. It stops working within a second.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The key's id, as `keys list` shows it.") var id: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await KeyAdministration.revoke(id, options.loadForStore())
            guard json else { return print("\(id) is revoked") }
            let answer = JSONWriter.object { key in
                key.member("id", id)
                key.member("status", ListedKey.Status.revoked.rawValue)
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
            try await KeyAdministration.rotate(id, options.loadForStore()).show(json)
        }
    }
}

extension IssuedKey {
    /// Prints the key and its secrets. Only the webhook secret, which is the tenant's, can be shown again.
    fileprivate func show(_ json: Bool) {
        if json { return print(String(decoding: self.json(), as: UTF8.self)) }
        print(
            """
            tenant          \(tenant)
            id              \(id)
            bearer key      \(key.reveal())
            access key      \(accessKey)
            secret key      \(secretKey.reveal())
            webhook secret  \(webhookSecret.reveal())

            The bearer key and the secret key are shown only once: save them now. The webhook secret belongs to the tenant:
            `kling-gateway webhooks secret` shows it again.
            """)
    }
}
