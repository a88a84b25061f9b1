public import KlingAPI

/// A message about a task's new state, as it is posted to whoever asked for it.
public struct SimulatedCallback: Sendable, Hashable {
    /// Where to.
    public let url: String
    /// The task that it is about.
    public let taskID: String
    /// The task, flat: no envelope.
    public let body: [UInt8]
    /// What a receiver knows a repeated message by.
    public let id: String

    init?(_ callback: DueCallback, base: String) {
        guard let url = callback.task.callbackURL else { return nil }
        self.url = url
        taskID = callback.task.id
        id = "msg_\(callback.task.id)_\(callback.changedAt)"
        body = callback.task.fields(at: callback.changedAt, base: base).json
    }

    /// The header fields to send it with.
    /// - Parameters:
    ///   - signature: signs the message, if there is one.
    ///   - now: in milliseconds since 1970.
    public func headers(signature: WebhookSignature?, now: Int) -> [(name: String, value: String)] {
        let type = (name: "Content-Type", value: "application/json; charset=utf-8")
        guard let signature else { return [type] }
        return [
            type,
            (name: "webhook-id", value: id),
            (name: "webhook-timestamp", value: String(now / 1000)),
            (name: "webhook-signature", value: signature.sign(id: id, timestamp: now / 1000, body: body)),
        ]
    }
}
