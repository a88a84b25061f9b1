internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Lists callbacks to clients, and sends one again.
enum DeliveryCalls {
    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/deliveries", name: "listDeliveries",
            summary: "List callbacks to clients, newest first.",
            query: [
                AdminMember("tenant", .text(1...64), "Only deliveries of this tenant."),
                AdminMember("task", .text(1...AdminMember.longestText), "Only deliveries of this task, by any id."),
                AdminMember("state", .word(DeliveryState.allCases.map { "\($0)" }), "Only deliveries in this state."),
                AdminMember("limit", .integer(1...1000), "How many at most; 50 by default."),
            ],
            answer: AdminRoute.Answer(
                description: "The deliveries.", schema: AdminSchemas.list(DeliveryRecord.schemaForOperators)),
            refusals: [404: "There is no such task."], handle: list),
        AdminRoute(
            method: .post, path: "/admin/v1/deliveries/{id}/redeliver", name: "redeliver",
            summary: "Send a delivery again, whatever its state, with all its retries.",
            answer: AdminRoute.Answer(
                description: "It will be sent again.",
                schema: AdminSchemas.object([("id", AdminSchemas.text("Its id."))])),
            refusals: [404: "There is no such delivery."], handle: redeliver),
    ]

    private static func list(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let query = request.query
        let filter = DeliveryFilter(
            tenant: query.text("tenant"), task: query.text("task"),
            state: query.text("state").flatMap { word in DeliveryState.allCases.first { "\($0)" == word } })
        let found = try await deliveries(filter, limit: query.integer("limit") ?? 50, parts.store)
        if let task = filter.task, found.isEmpty, try await parts.store.allTasks(named: task).isEmpty {
            throw AdminError(404, "no such task: \(task)", parameter: "task")
        }
        var writer = JSONWriter(capacity: found.count * 1024)
        writer.array { list in
            for (delivery, attempts) in found { list.object { delivery.writeForOperators(attempts, to: &$0) } }
        }
        return .json(writer.bytes)
    }

    /// The newest deliveries of a task, or of its job, with their attempts.
    static func deliveries(
        of task: TaskRecord, _ store: any TaskStore
    ) async throws(StoreError) -> [(DeliveryRecord, [DeliveryAttempt])] {
        try await deliveries(DeliveryFilter(task: task.id.description), limit: 100, store)
    }

    private static func deliveries(
        _ filter: DeliveryFilter, limit: Int, _ store: any TaskStore
    ) async throws(StoreError) -> [(DeliveryRecord, [DeliveryAttempt])] {
        var found: [(DeliveryRecord, [DeliveryAttempt])] = []
        for delivery in try await store.outbox.deliveries(filter, limit: limit) {
            found.append((delivery, try await store.outbox.attempts(delivery: delivery.id)))
        }
        return found
    }

    private static func redeliver(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let entry = request.entry("deliveries.redeliver", request.id)
        try await parts.store.audited(entry).outbox.redeliver(delivery: request.id, at: request.time)
        parts.live?.deliverNow()
        return .json(JSONWriter.object { $0.member("id", request.id) })
    }
}
