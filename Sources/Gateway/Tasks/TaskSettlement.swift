internal import Base
internal import KlingAPI
public import TaskStore

/// An operator's decision on a create whose outcome the gateway cannot find out: its account has no look-up, is no
/// longer configured, or has other keys than when the create was sent.
public enum TaskSettlement: Sendable {
    /// Kling never had it: it has failed, and nothing was charged.
    case notMade
    /// Kling has it, under this id.
    case made(upstreamID: String)

    /// Why a task cannot be settled, for the operator.
    public struct Refusal: Error, CustomStringConvertible {
        public let description: String
    }

    /// How long a create that no client was told of may still be in progress, in milliseconds.
    private static let settlingTime: Int64 = 60_000

    /// Settles a task. A gateway that serves from the store continues with the task within seconds.
    /// - Parameters:
    ///   - time: milliseconds since 1970.
    ///   - entry: is added to the audit log with the change.
    /// - Returns: the changed record.
    /// - Throws: ``Refusal`` if the task's outcome is known, or the gateway may still find it out; `StoreError`.
    public func settle(
        _ record: TaskRecord, in store: any TaskStore, at time: Int64, auditing entry: AuditEntry? = nil
    ) async throws -> TaskRecord {
        try check(record, time)
        switch self {
        case .notMade:
            return try await store.endUnmade(
                record.id, because: "never reached Kling; nothing was charged", at: time, auditing: entry)
        case .made(let upstreamID):
            guard TaskObject(TaskFields(upstreamID).json)?.taskID == upstreamID else {
                throw Refusal(
                    description:
                        "'\(upstreamID)' cannot be Kling's id: it must be 1 to 256 bytes without control characters")
            }
            let acceptance = Acceptance(
                upstreamID: upstreamID, publicID: upstreamID, state: .submitted, statusWord: TaskState.submitted.word,
                answer: TaskFields(upstreamID, at: time).json, at: time)
            let recording = entry.map(store.audited) ?? store
            return try await recording.accept(record.id, acceptance) {
                StoredAnswer(
                    status: 200, body: Envelope.success(requestID: record.id.description, data: TaskView.json($0)))
            }
        }
    }

    private func check(_ record: TaskRecord, _ time: Int64) throws(Refusal) {
        if record.upstreamID != nil || record.state.isFinal {
            throw Refusal(description: "the outcome of its create is known: the task is \(record.state)")
        }
        if record.account == nil {
            throw Refusal(
                description: "it has not been sent to an account yet. Cancel a queued task with: tasks cancel")
        }
        let isLeft = record.publicID != nil || record.flags.contains(.unknown)
        guard isLeft || time - record.createdAt >= Self.settlingTime else {
            throw Refusal(description: "the gateway is still determining its outcome. Try again in a minute")
        }
    }
}

extension TaskFields {
    /// The fields of a task that only the operator knows about.
    fileprivate init(_ taskID: String, at time: Int64 = 0) {
        self.init(taskID: taskID, status: .submitted, createdAt: Int(time), updatedAt: Int(time))
    }
}
