internal import Crypto
internal import KlingAPI
public import TaskStore

/// What a useapi.net client is told of its job at its `replyUrl`: what a query would answer, and its `replyRef`.
public enum UseapiCallback {
    /// The delivery that follows from a step of a job, if one does. The store calls it in the step's transaction; it makes
    /// the same of the same step.
    ///
    /// A delivery is due whenever the client sees the job make progress: another status, another picture, another failure.
    /// `submitted` comes before all others or not at all.
    /// - Parameter before: nil for a record that is new.
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

    /// Whether it is known what became of a task that the client was told of. Before that there is nothing to tell.
    private static func isCertain(_ job: JobRecord) -> Bool {
        job.tasks.contains { $0.publicID != nil && $0.state != .intent && $0.state != .refused }
    }

    /// `webhook-id`: of the job and of how many of its tasks have come how far, which never comes again.
    private static func identifier(_ job: JobRecord, _ progress: UseapiProgress) -> String {
        let ended = job.tasks.count { $0.state.isFinal }
        let step = "\(job.number)\n\(progress.status.rawValue)\n\(ended)\n\(job.createdAt)"
        return "msg_" + Base64.encode(SHA256.hash(data: Array("job\n\(step)".utf8)).prefix(18), .urlSafe)
    }
}
