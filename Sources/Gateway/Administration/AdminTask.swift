internal import KlingAPI
internal import TaskStore

/// Tasks as operators see them.
extension TaskRecord {
    private var hasFailed: Bool { self.state == .failed || self.state == .refused }

    /// Why the task failed: Kling's message, or else the gateway's, which the record stores in place of Kling's status.
    private var reason: String? {
        if let said = self.answer.flatMap({ TaskObject($0) })?.statusMessage { return said }
        return TaskStatus(rawValue: self.statusWord).isKnown ? nil : self.statusWord
    }

    /// Writes the members of the task.
    func writeForOperators(to task: inout JSONWriter) {
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

    /// The task as JSON.
    var jsonForOperators: [UInt8] { JSONWriter.object { writeForOperators(to: &$0) } }

    /// The states that are known with their times, the first one first. Kling's clock says when it accepted the task.
    private var history: [(state: TaskState, at: Int)] {
        var history = [(state: TaskState.intent, at: Int(self.createdAt))]
        if self.state > .submitted, let accepted = self.answer.flatMap({ TaskObject($0) })?.createdAt {
            history.append((.submitted, accepted))
        }
        if self.state != .intent { history.append((self.state, Int(self.finishedAt ?? self.updatedAt))) }
        return history
    }

    /// Writes the states that are known with their times.
    func writeHistory(to list: inout JSONWriter) {
        for step in history {
            list.object { writer in
                writer.member("state", "\(step.state)")
                writer.member("at", step.at)
            }
        }
    }

    /// The JSON Schema of ``writeForOperators(to:)``.
    static let schemaForOperators = AdminSchemas.object(
        [
            ("id", AdminSchemas.text("The gateway's own id.")),
            ("task_id", AdminSchemas.textOrNull("The id that the client was told.")),
            ("upstream_task_id", AdminSchemas.textOrNull("Kling's id.")),
            ("external_task_id", AdminSchemas.textOrNull("The client's own id.")),
            ("tenant", AdminSchemas.text("Whose task it is.")),
            ("account", AdminSchemas.textOrNull("The account that has it, or is about to be sent it.")),
            ("model", AdminSchemas.text("The model.")),
            ("state", AdminSchemas.word(TaskState.allCases.map { "\($0)" }, "The state in the gateway.")),
            ("task_status", AdminSchemas.text("Kling's word for the state.")),
            ("created_at", AdminSchemas.time("When the create arrived")),
            ("updated_at", AdminSchemas.time("When the record last changed")),
            ("stuck", AdminSchemas.flag("Kling has not known the task for a day.")),
            ("unknown", AdminSchemas.flag("It is unknown whether Kling has the task.")),
        ],
        optional: [
            ("job", AdminSchemas.integer("The number of the job that it is a part of.")),
            ("task_status_msg", AdminSchemas.text("Why it has failed.")),
        ])
}
