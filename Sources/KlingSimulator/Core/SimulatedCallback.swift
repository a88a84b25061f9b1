public import KlingAPI

/// A message about a task's new state, as it is posted to whoever asked for it.
public struct SimulatedCallback: Sendable, Hashable {
    /// Where to.
    public let url: String
    /// The task that it is about.
    public let taskID: String
    /// The task as the interface that it was made by tells it, flat: no envelope.
    public let body: [UInt8]
    /// What a receiver knows a repeated message by.
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
                // Callbacks have another word for success than answers.
                callback.task.solution(
                    at: callback.changedAt, success: "succeeded", base: base, billing: billing
                ).json
            }
    }

    /// What Kling's console sends to try a receiver.
    init(testing url: String, taskID: String, now: Int) {
        self.url = url
        self.taskID = taskID
        id = "msg_\(taskID)_\(now)"
        body =
            SolutionFields(id: taskID, status: TaskStatus.submitted.rawValue, createTime: now, updateTime: now).json
    }

    /// The header fields to send it with.
    /// - Parameters:
    ///   - signatures: sign the message, if there are any.
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
