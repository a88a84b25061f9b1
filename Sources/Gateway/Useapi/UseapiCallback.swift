internal import Crypto
internal import KlingAPI
public import TaskStore

/// Callbacks to the `replyUrl` of a useapi.net job: the answer to a query, and the `replyRef`.
public enum UseapiCallback {
    /// The delivery for a step of a job, if the step causes one. The store calls this in the step's transaction. The
    /// same step always gives the same delivery.
    ///
    /// A delivery is due whenever the client sees the job make progress: another status, another picture, another
    /// failure. `submitted` is delivered before all others or not at all.
    /// - Parameter before: nil for a new record.
    public static func delivery(before: JobRecord?, after: JobRecord) -> NewDelivery? {
        guard after.shape == Shape.useapi.rawValue, isCertain(after), let url = after.callbackURL else {
            return nil
        }
        let progress = UseapiProgress(after.tasks)
        if let before, isCertain(before), UseapiProgress(before.tasks) == progress { return nil }
        return NewDelivery(
            id: identifier(after, progress), url: url, body: UseapiView.callback(after),
            isLast: progress.status.isFinal)
    }

    /// Whether the outcome of a create is known for a task that the client was told of. Until then there is nothing to
    /// report.
    private static func isCertain(_ job: JobRecord) -> Bool {
        job.tasks.contains { $0.publicID != nil && $0.state != .intent && $0.state != .refused }
    }

    /// The `webhook-id`, from the job, its status and the number of its ended tasks: a combination that never recurs.
    private static func identifier(_ job: JobRecord, _ progress: UseapiProgress) -> String {
        let ended = job.tasks.count { $0.state.isFinal }
        let step = "\(job.number)\n\(progress.status.rawValue)\n\(ended)\n\(job.createdAt)"
        return "msg_" + Base64.encode(SHA256.hash(data: Array("job\n\(step)".utf8)).prefix(18), .urlSafe)
    }
}
