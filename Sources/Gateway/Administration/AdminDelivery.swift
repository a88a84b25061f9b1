internal import KlingAPI
internal import TaskStore

/// Deliveries as operators see them.
extension DeliveryRecord {
    /// Writes the members of the delivery.
    func writeForOperators(_ history: [DeliveryAttempt], to delivery: inout JSONWriter) {
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

    /// The JSON Schema of ``writeForOperators(_:to:)``.
    static let schemaForOperators = AdminSchemas.object(
        [
            ("id", AdminSchemas.text("The `webhook-id`.")),
            ("task", AdminSchemas.text("The gateway's id of the task, or of the job's first task.")),
            ("tenant", AdminSchemas.text("Whose task it is.")),
            ("url", AdminSchemas.text("The client's `callback_url`.")),
            ("state", AdminSchemas.word(DeliveryState.allCases.map { "\($0)" }, "The state.")),
            ("last", AdminSchemas.flag("Whether it reports the end of the task.")),
            ("attempts", AdminSchemas.integer("How many attempts have begun.")),
            ("created_at", AdminSchemas.time("When the task took the step")),
            ("body", ["description": "What is sent."]),
            ("history", AdminSchemas.list(DeliveryAttempt.schema)),
        ],
        optional: [
            ("next_attempt_at", AdminSchemas.time("When it falls due")),
            ("finished_at", AdminSchemas.time("When it was delivered, superseded or given up")),
        ])
}

extension DeliveryAttempt {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("attempt", number)
        writer.member("started_at", Int(startedAt))
        writer.member("duration_ms", Int(duration))
        if let status { writer.member("status", status) }
        writer.member("failure", ifPresent: failure)
    }

    fileprivate static let schema = AdminSchemas.object(
        [
            ("attempt", AdminSchemas.integer("Counts from 1.")),
            ("started_at", AdminSchemas.time("When it began")),
            ("duration_ms", AdminSchemas.integer("How long it took, in milliseconds.")),
        ],
        optional: [
            ("status", AdminSchemas.integer("The status of the receiver's answer.")),
            ("failure", AdminSchemas.text("Why there was no answer.")),
        ])
}
