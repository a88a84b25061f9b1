internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Lists and shows tasks, cancels queued ones, and settles open ones.
enum TaskCalls {
    private static let task = AdminRoute.Answer(description: "The task.", schema: TaskRecord.schemaForOperators)
    private static let ambiguous = "Several tasks have this id: give the gateway's."
    private static let anyID = "`id` is any id of the task: the gateway's, the public one, Kling's or the client's."

    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/tasks", name: "listTasks", summary: "List tasks, newest first.",
            query: [
                AdminMember("tenant", .text(1...64), "Only tasks of this tenant."),
                AdminMember("id", .text(1...AdminMember.longestText), "Only tasks that have this id, of any kind."),
                AdminMember("state", .word(TaskState.allCases.map { "\($0)" }), "Only tasks in this state."),
                AdminMember("unfinished", .flag, "Only tasks that have not ended."),
                AdminMember("attention", .flag, "Only tasks that are stuck or whose outcome is unknown."),
                AdminMember(
                    "before", .text(26...26), "Only tasks older than this one: the last `id` of a page.",
                    pattern: "^(|[0-7][0-9A-HJKMNP-TV-Z]{25})$"),
                AdminMember("limit", .integer(1...1000), "How many at most; 50 by default."),
            ],
            answer: AdminRoute.Answer(
                description: "The tasks.", schema: AdminSchemas.list(TaskRecord.schemaForOperators)),
            handle: list),
        AdminRoute(
            method: .get, path: "/admin/v1/tasks/{id}", name: "getTask",
            summary: "Show a task with its states and its deliveries.", details: anyID,
            answer: AdminRoute.Answer(
                description: "The task.", schema: detailedSchema),
            refusals: [404: "There is no such task.", 409: ambiguous], handle: show),
        AdminRoute(
            method: .post, path: "/admin/v1/tasks/{id}/cancel", name: "cancelTask",
            summary: "End a task that waits in the queue: it fails, and nothing is charged.", details: anyID,
            answer: task,
            refusals: [404: "There is no such task.", 409: "It does not wait in the queue. \(ambiguous)"],
            handle: cancel),
        AdminRoute(
            method: .post, path: "/admin/v1/tasks/{id}/settle", name: "settleTask",
            summary: "Set the outcome of a create that the gateway cannot determine.", details: anyID,
            body: .oneOf([
                AdminMember("made_as", .text(1...256), "Kling has the task, under this id."),
                AdminMember("not_made", .yes, "Kling never had the task: it fails, and nothing was charged."),
            ]),
            answer: task,
            refusals: [
                404: "There is no such task.", 409: "Its outcome is known, or still being found out. \(ambiguous)",
            ],
            handle: settle),
    ]

    /// The JSON Schema of a task with its states and its deliveries.
    static let detailedSchema = TaskRecord.schemaForOperators.withMembers(details)

    private static let details: [(String, JSONLiteral)] = [
        (
            "history",
            AdminSchemas.list(
                AdminSchemas.object([
                    ("state", AdminSchemas.text("The state.")), ("at", AdminSchemas.time("Since when")),
                ]))
        ),
        ("deliveries", AdminSchemas.list(DeliveryRecord.schemaForOperators)),
    ]

    // MARK: Reading

    private static func list(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let query = request.query
        let before = try query.text("before").map { (text) throws(AdminError) in
            guard let id = TaskID(text) else { throw .value("before", "must be the `id` of a task") }
            return id
        }
        let state = query.text("state").flatMap { word in TaskState.allCases.first { "\($0)" == word } }
        let filter = TaskFilter(
            tenant: query.text("tenant"), flags: query.flag("attention") ? [.stuck, .unknown] : [],
            isUnfinished: query.flag("unfinished"), state: state)
        let limit = query.integer("limit") ?? 50
        let tasks =
            if let id = query.text("id") {
                try await parts.store.allTasks(named: id).filter { task in
                    filter.matches(task) && before.map { task.id < $0 } ?? true
                }
            } else {
                try await parts.store.allTasks(filter, before: before, limit: limit)
            }
        var writer = JSONWriter(capacity: tasks.count * 512)
        writer.array { list in
            for task in tasks.prefix(limit) { list.object { task.writeForOperators(to: &$0) } }
        }
        return .json(writer.bytes)
    }

    private static func show(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        try await detailed(parts.store.onlyTask(named: request.id), parts)
    }

    /// A task with its states and its deliveries.
    static func detailed(_ task: TaskRecord, _ parts: AdminParts) async throws -> AdminReply {
        let deliveries = try await DeliveryCalls.deliveries(of: task, parts.store)
        return .json(
            JSONWriter.object { writer in
                task.writeForOperators(to: &writer)
                writer.array("history") { task.writeHistory(to: &$0) }
                writer.array("deliveries") { list in
                    for (delivery, attempts) in deliveries {
                        list.object { delivery.writeForOperators(attempts, to: &$0) }
                    }
                }
            })
    }

    // MARK: Changing

    private static func cancel(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let task = try await parts.store.onlyTask(named: request.id)
        do throws(StoreError) {
            let entry = request.entry("tasks.cancel", task.id.description, before: task.jsonForOperators)
            let cancelled = try await parts.store.audited(entry).cancel(
                task.id, reason: "cancelled by the operator; nothing was charged", at: request.time)
            parts.live?.follow(cancelled)
            return .json(cancelled.jsonForOperators)
        } catch {
            guard error.code == .stale else { throw error }
            throw AdminError(409, "the task is \(task.state): only one that waits in the queue can be cancelled")
        }
    }

    private static func settle(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let upstreamID = request.body.text("made_as")
        let settlement = upstreamID.map { TaskSettlement.made(upstreamID: $0) } ?? .notMade
        let task = try await parts.store.onlyTask(named: request.id)
        let entry = request.entry(
            "tasks.settle", task.id.description, before: task.jsonForOperators,
            after: JSONWriter.object { writer in
                writer.member("made_as", ifPresent: upstreamID)
                if upstreamID == nil { writer.member("not_made", true) }
            })
        let settled = try await settlement.settle(task, in: parts.store, at: request.time, auditing: entry)
        parts.live?.follow(settled)
        return .json(settled.jsonForOperators)
    }
}

extension TaskStore {
    /// The task with this id. The gateway's id prevails: clients choose external ids.
    func onlyTask(named id: String) async throws -> TaskRecord {
        let tasks = try await allTasks(named: id)
        guard let task = tasks.first(where: { $0.id.description == id }) ?? tasks.first else {
            throw AdminError(404, "no such task: \(id)", parameter: "id")
        }
        guard task.id.description == id || tasks.count == 1 else {
            throw AdminError(409, "\(tasks.count) tasks have the id \(id): give the gateway's id", parameter: "id")
        }
        return task
    }
}
