internal import ArgumentParser
internal import HTTPServer
internal import KlingAPI

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
            let tasks = try await options.withAdmin { (admin) async throws -> [JSONObject] in
                try await self.tasks(admin)
            }
            if json {
                for task in tasks { print(task.line) }
                return
            }
            TextTable(
                "CREATED", "ID", "STATE", "TENANT", "ACCOUNT", "MODEL", "ATTENTION", rows: tasks.map(\.row)
            ).show(ifEmpty: "no tasks were found")
        }

        /// The newest tasks, page by page.
        private func tasks(_ admin: AdminCommand) async throws -> [JSONObject] {
            var tasks: [JSONObject] = []
            while tasks.count < limit {
                let size = min(limit - tasks.count, 1000)
                let page = try await admin.list(
                    "tasks",
                    query: [
                        ("tenant", tenant), ("unfinished", unfinished ? "true" : nil),
                        ("attention", stuck ? "true" : nil), ("before", tasks.last?.string("id")),
                        ("limit", "\(size)"),
                    ])
                tasks += page
                if page.count < size { break }
            }
            return tasks
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a task by any of its ids.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "Any id of the task: the gateway's, the public one, Kling's, or the client's external id.")
        var id: String
        @Flag(help: "Print JSON (always on).") var json = false

        func run() async throws {
            let tasks = try await options.withAdmin {
                try await $0.list("tasks", query: [("id", id), ("limit", "1000")])
            }
            guard !tasks.isEmpty else { throw fail("no such task: \(id)") }
            for task in tasks { print(task.line) }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a task that waits in the queue: it fails, and nothing is charged.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "Any id of the task, as for `tasks show`.") var id: String
        @Flag(help: "Print JSON (always on).") var json = false

        func run() async throws {
            let task = try await options.withAdmin { try await $0.object(.post, "tasks/\(id)/cancel") }
            print(task.line)
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
            let outcome = JSONWriter.object { writer in
                if notMade { writer.member("not_made", true) }
                writer.member("made_as", ifPresent: self.as)
            }
            let task = try await options.withAdmin { try await $0.object(.post, "tasks/\(id)/settle", body: outcome) }
            print(task.line)
        }
    }
}

extension JSONObject {
    /// The cells of a task's row of the list.
    fileprivate var row: [String] {
        let attention = [isTrue("stuck") ? "stuck" : nil, isTrue("unknown") ? "unknown" : nil]
        return [
            time("created_at"), cell("task_id", or: cell("id")), cell("state"), cell("tenant"),
            cell("account", or: "-"),
            cell("model"), attention.compactMap(\.self).joined(separator: " "),
        ]
    }
}
