internal import ArgumentParser
internal import Base
internal import Foundation
internal import Gateway
internal import KlingAPI
internal import TaskStore

/// Shows tasks to an operator, cancels queued ones and settles open ones.
struct TasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Show tasks, cancel queued ones, and settle open ones.",
        subcommands: [List.self, Show.self, Cancel.self, Settle.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List tasks, newest first.")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "Only tasks of this tenant.") var tenant: String?
        @Flag(help: "Only tasks that have not ended.") var unfinished = false
        @Flag(help: "Only tasks that need attention: stuck, or with an unknown outcome.") var stuck = false
        @Option(help: "The maximum number of tasks.") var limit = 50
        @Flag(help: "Print JSON, one object per line.") var json = false

        func run() async throws {
            let filter = TaskFilter(tenant: tenant, flags: stuck ? [.stuck, .unknown] : [], isUnfinished: unfinished)
            let tasks = try await options.withStore { try await $0.allTasks(filter, before: nil, limit: limit) }
            if json {
                for task in tasks { print(task.jsonLine) }
                return
            }
            TextTable(
                "CREATED", "ID", "STATE", "TENANT", "ACCOUNT", "MODEL", "ATTENTION", rows: tasks.map(\.row)
            ).show(ifEmpty: "no tasks were found")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a task by any of its ids.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "Any id of the task: the gateway's, the public one, Kling's, or the client's external id.")
        var id: String
        @Flag(help: "Print JSON (always on).") var json = false

        func run() async throws {
            let tasks = try await options.withStore { try await $0.allTasks(named: id) }
            guard !tasks.isEmpty else { throw fail("no such task: \(id)") }
            for task in tasks { print(task.jsonLine) }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a task that waits in the queue: it fails, and nothing is charged.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "Any id of the task, as for `tasks show`.") var id: String
        @Flag(help: "Print JSON (always on).") var json = false

        func run() async throws {
            let task = try await options.withStore { store in
                let task = try await store.onlyTask(named: id)
                do throws(StoreError) {
                    return try await store.cancel(
                        task.id, reason: "cancelled by the operator; nothing was charged", at: WallClock.milliseconds)
                } catch {
                    guard error.code == .stale else { throw error }
                    throw fail("the task is \(task.state): only one that waits in the queue can be cancelled")
                }
            }
            print(task.jsonLine)
        }
    }

    struct Settle: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set the outcome of a create that the gateway cannot determine.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "Any id of the task, as for `tasks show`.") var id: String
        @Flag(help: "Kling never had the task: it fails, and nothing was charged.") var notMade = false
        @Option(help: "Kling has the task, under this id.") var `as`: String?
        @Flag(help: "Print JSON (always on).") var json = false

        func validate() throws {
            guard notMade != (self.as != nil) else {
                throw ValidationError("Give the outcome: --not-made, or --as with Kling's id of the task.")
            }
        }

        func run() async throws {
            let settlement = self.as.map { TaskSettlement.made(upstreamID: $0) } ?? .notMade
            let task = try await options.withStore { store in
                try await settlement.settle(
                    store.onlyTask(named: id), in: store, at: WallClock.milliseconds)
            }
            print(task.jsonLine)
        }
    }
}

extension SQLiteTaskStore {
    /// The task with this id, for a command that changes it. The gateway's id prevails: clients choose external ids.
    fileprivate func onlyTask(named id: String) async throws -> TaskRecord {
        let tasks = try await allTasks(named: id)
        guard let task = tasks.first(where: { $0.id.description == id }) ?? tasks.first else {
            throw fail("no such task: \(id)")
        }
        guard task.id.description == id || tasks.count == 1 else {
            throw fail("\(tasks.count) tasks have the id \(id): give the gateway's id")
        }
        return task
    }
}

extension TaskRecord {
    /// The cells of a row of the list.
    fileprivate var row: [String] {
        let time = Date(timeIntervalSince1970: Double(self.createdAt) / 1000).formatted(.iso8601)
        let attention = [self.flags.contains(.stuck) ? "stuck" : nil, self.flags.contains(.unknown) ? "unknown" : nil]
        let id = self.publicID ?? self.id.description
        return [
            time, id, "\(self.state)", self.tenant, account ?? "-", self.model,
            attention.compactMap(\.self).joined(separator: " "),
        ]
    }

    private var hasFailed: Bool { self.state == .failed || self.state == .refused }

    /// Why the task failed: Kling's message, or else the gateway's, which the record stores in place of Kling's status.
    private var reason: String? {
        if let said = self.answer.flatMap({ TaskObject($0) })?.statusMessage { return said }
        return TaskStatus(rawValue: self.statusWord).isKnown ? nil : self.statusWord
    }

    /// A line of JSON for scripts.
    fileprivate var jsonLine: String {
        let json = JSONWriter.object { task in
            task.member("id", self.id.description)
            task.member("task_id", orNull: self.publicID)
            task.member("upstream_task_id", orNull: self.upstreamID)
            task.member("external_task_id", orNull: self.externalTaskID)
            if let job = self.job { task.member("job", Int(job.job)) }
            task.member("tenant", self.tenant)
            task.member("account", orNull: account)
            task.member("model", self.model)
            task.member("state", "\(self.state)")
            task.member("task_status", hasFailed ? TaskStatus.failed.rawValue : self.statusWord)
            task.member("task_status_msg", ifPresent: hasFailed ? reason : nil)
            task.member("created_at", Int(self.createdAt))
            task.member("updated_at", Int(self.updatedAt))
            task.member("stuck", self.flags.contains(.stuck))
            task.member("unknown", self.flags.contains(.unknown))
        }
        return String(decoding: json, as: UTF8.self)
    }
}
