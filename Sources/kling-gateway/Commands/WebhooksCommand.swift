internal import ArgumentParser
internal import Base
internal import Gateway
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
            let secrets = try await WebhookAdministration.secrets(of: tenant, options.loadForStore(canCreate: true))
            show(tenant, secrets[0].reveal(), json)
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
            let secret = try await WebhookAdministration.rotate(
                tenant: tenant, grace: time, options.loadForStore(canCreate: true))
            show(tenant, secret.reveal(), json)
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
            let status: Int
            do {
                status = try await WebhookAdministration.test(
                    tenant: tenant, url: url, options.loadForStore(canCreate: true))
            } catch let error as ServiceError {
                throw fail(error.description)
            }
            print(json ? "{\"status\":\(status)}" : "\(status)")
            if !(200...299).contains(status) { throw ExitCode.failure }
        }
    }
}

private func show(_ tenant: String, _ secret: String, _ json: Bool) {
    guard json else { return print(secret) }
    let object = JSONWriter.object { writer in
        writer.member("tenant", tenant)
        writer.member("webhook_secret", secret)
    }
    print(String(decoding: object, as: UTF8.self))
}
