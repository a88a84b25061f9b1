internal import ArgumentParser
internal import Gateway
internal import HTTPServer
internal import KlingAPI

/// Manages the secrets that sign callbacks to clients.
struct WebhooksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks", abstract: "Show, rotate and try out the secrets that sign callbacks to clients.",
        subcommands: [Secret.self, Rotate.self, Test.self])

    struct Secret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a tenant's current secret, which is created on first use.")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "The tenant whose callbacks it signs.") var tenant: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let secret = try await options.withAdmin(canCreate: true) {
                try await $0.object(.get, "tenants/\(tenant)/webhook-secrets")
            }
            show(secret, json)
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new secret. Callbacks are signed with both until the grace period ends.")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "The tenant whose callbacks it signs.") var tenant: String
        @Option(help: "How long the old secret is used as well: 30m, 24h, 7d.") var grace = "24h"
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            guard let time = WebhookSecrets.grace(grace) else {
                throw ValidationError("--grace must be a duration of at most 30 days, such as 24h")
            }
            let overlap = JSONWriter.object { $0.member("overlap_seconds", Int(time / .seconds(1))) }
            let secret = try await options.withAdmin(canCreate: true) {
                try await $0.object(.post, "tenants/\(tenant)/webhook-secrets/rotate", body: overlap)
            }
            show(secret, json)
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send one signed test event under the rules for callbacks, and print the status of the answer.")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "The tenant whose secret signs it.") var tenant: String
        @Option(help: "Where to send it.") var url: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let receiver = JSONWriter.object { $0.member("url", url) }
            let answer = try await options.withAdmin(canCreate: true) {
                try await $0.object(.post, "tenants/\(tenant)/webhook-test", body: receiver)
            }
            let status = answer.integer("status") ?? 0
            print(json ? "{\"status\":\(status)}" : "\(status)")
            if !(200...299).contains(status) { throw ExitCode.failure }
        }
    }
}

private func show(_ secret: JSONObject, _ json: Bool) {
    guard json else { return print(secret.cell("webhook_secret")) }
    let object = JSONWriter.object { writer in
        writer.member("tenant", secret.cell("tenant"))
        writer.member("webhook_secret", secret.cell("webhook_secret"))
    }
    print(String(decoding: object, as: UTF8.self))
}
