public import KlingAPI

/// A message about a task's new state, posted to the callback URL of its create.
public struct SimulatedCallback: Sendable, Hashable {
    /// The URL that it is posted to.
    public let url: String
    /// The task that it is about.
    public let taskID: String
    /// The task in the format of the API that created it, without an envelope.
    public let body: [UInt8]
    /// The id by which a receiver recognizes a repeated message.
    public let id: String

    init?(_ callback: DueCallback, base: String, billing: SimulatedBilling) {
        guard let url = callback.task.callbackURL else { return nil }
        self.url = url
        taskID = callback.task.id
        id = "msg_\(callback.task.id)_\(callback.changedAt)"
        body =
            switch callback.task.dialect {
            case .kolors: callback.task.fields(at: callback.changedAt, base: base).json
            case .solutions:
                // Callbacks use another word for success than answers.
                callback.task.solution(
                    at: callback.changedAt, success: "succeeded", base: base, billing: billing
                ).json
            }
    }

    /// The test message of Kling's console.
    init(testing url: String, taskID: String, now: Int) {
        self.url = url
        self.taskID = taskID
        id = "msg_\(taskID)_\(now)"
        body =
            SolutionFields(id: taskID, status: TaskStatus.submitted.rawValue, createTime: now, updateTime: now).json
    }

    /// The header fields to send it with.
    /// - Parameters:
    ///   - signatures: the signatures to add, if any.
    ///   - now: in milliseconds since 1970.
    public func headers(signatures: [WebhookSignature], now: Int) -> [(name: String, value: String)] {
        let type = (name: "Content-Type", value: "application/json; charset=utf-8")
        guard !signatures.isEmpty else { return [type] }
        let signed = signatures.map { $0.sign(id: id, timestamp: now / 1000, body: body) }
        return [
            type,
            (name: "webhook-id", value: id),
            (name: "webhook-timestamp", value: String(now / 1000)),
            (name: "webhook-signature", value: signed.joined(separator: " ")),
        ]
    }
}
