internal import ArgumentParser
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Lists callbacks to clients with their states, and sends one again.
struct DeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries", abstract: "Show callbacks to clients, and send one again.",
        subcommands: [List.self, Redeliver.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List deliveries, newest first.")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "Only deliveries of this tenant.") var tenant: String?
        @Option(help: "Only deliveries of this task, by any of its ids.") var task: String?
        @Option(help: "Only deliveries in this state: waiting, delivered, superseded or failed.") var state: String?
        @Option(help: "The maximum number of deliveries.") var limit = 50
        @Flag(help: "Print JSON, one object per line, with the attempts.") var json = false

        func validate() throws {
            guard let state, !DeliveryState.allCases.contains(where: { "\($0)" == state }) else { return }
            throw ValidationError("--state must be one of waiting, delivered, superseded, failed")
        }

        func run() async throws {
            let query = [("tenant", tenant), ("task", task), ("state", state), ("limit", "\(limit)")]
            let found = try await options.withAdmin { try await $0.list("deliveries", query: query) }
            if json {
                for delivery in found { print(delivery.line) }
                return
            }
            TextTable("CREATED", "ID", "STATE", "ATTEMPTS", "TENANT", "URL", rows: found.map(\.row))
                .show(ifEmpty: "no deliveries were found")
        }
    }

    struct Redeliver: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a delivery again, whatever its state, with all its retries.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The delivery's id, as `deliveries list` shows it.") var id: String

        func run() async throws {
            _ = try await options.withAdmin { try await $0.object(.post, "deliveries/\(id)/redeliver") }
            print("\(id) will be sent again")
        }
    }
}

extension JSONObject {
    /// The cells of a delivery's row of the list.
    fileprivate var row: [String] {
        [time("created_at"), cell("id"), cell("state"), cell("attempts"), cell("tenant"), cell("url")]
    }
}
