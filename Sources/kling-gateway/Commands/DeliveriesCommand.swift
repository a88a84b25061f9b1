internal import ArgumentParser
internal import Base
internal import Foundation
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
            guard let state, DeliveryState(state) == nil else { return }
            throw ValidationError("--state must be one of waiting, delivered, superseded, failed")
        }

        func run() async throws {
            let filter = DeliveryFilter(tenant: tenant, task: task, state: state.flatMap { DeliveryState($0) })
            let found = try await options.withStore { store in
                let outbox = store.outbox
                let deliveries = try await outbox.deliveries(filter, limit: limit)
                if let task, deliveries.isEmpty, try await store.allTasks(named: task).isEmpty {
                    throw fail("no such task: \(task)")
                }
                var found: [(DeliveryRecord, [DeliveryAttempt])] = []
                for delivery in deliveries {
                    found.append((delivery, json ? try await outbox.attempts(delivery: delivery.id) : []))
                }
                return found
            }
            if json {
                for (delivery, attempts) in found { print(delivery.jsonLine(attempts)) }
                return
            }
            TextTable("CREATED", "ID", "STATE", "ATTEMPTS", "TENANT", "URL", rows: found.map { $0.0.row })
                .show(ifEmpty: "no deliveries were found")
        }
    }

    struct Redeliver: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a delivery again, whatever its state, with all its retries.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The delivery's id, as `deliveries list` shows it.") var id: String

        func run() async throws {
            try await options.withStore { store in
                try await store.outbox.redeliver(delivery: id, at: WallClock.milliseconds)
            }
            print("\(id) will be sent again")
        }
    }
}

extension DeliveryState {
    fileprivate init?(_ word: String) {
        guard let state = Self.allCases.first(where: { "\($0)" == word }) else { return nil }
        self = state
    }
}

extension DeliveryRecord {
    /// The cells of a row of the list.
    fileprivate var row: [String] {
        let time = Date(timeIntervalSince1970: Double(createdAt) / 1000).formatted(.iso8601)
        return [time, id, "\(state)", "\(attempts)", tenant, url]
    }

    /// A line of JSON for scripts.
    fileprivate func jsonLine(_ history: [DeliveryAttempt]) -> String {
        let json = JSONWriter.object { delivery in
            delivery.member("id", id)
            delivery.member("task", task.description)
            delivery.member("tenant", tenant)
            delivery.member("url", url)
            delivery.member("state", "\(state)")
            delivery.member("last", isLast)
            delivery.member("attempts", attempts)
            delivery.member("created_at", Int(createdAt))
            if let nextAttemptAt { delivery.member("next_attempt_at", Int(nextAttemptAt)) }
            if let finishedAt { delivery.member("finished_at", Int(finishedAt)) }
            delivery.member("body", json: body)
            delivery.array("history") { list in
                for attempt in history { list.object { attempt.write(to: &$0) } }
            }
        }
        return String(decoding: json, as: UTF8.self)
    }
}

extension DeliveryAttempt {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("attempt", number)
        writer.member("started_at", Int(startedAt))
        writer.member("duration_ms", Int(duration))
        if let status { writer.member("status", status) }
        writer.member("failure", ifPresent: failure)
    }
}
