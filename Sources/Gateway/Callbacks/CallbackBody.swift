internal import Crypto
internal import KlingAPI
public import TaskStore

/// Makes the callbacks to a client's `callback_url`: Kling's flat callback with the client's ids.
public enum CallbackBody {
    /// The delivery that a change of a task causes, if any. The store calls this in the transaction of the change. The
    /// same change always gives the same delivery.
    ///
    /// A delivery is made whenever the status that the client sees changes. `submitted` is sent once, before all other
    /// states, or not at all: a state that was not observed is not made up.
    /// - Parameter before: nil for a new record.
    public static func delivery(before: TaskRecord?, after: TaskRecord) -> NewDelivery? {
        guard let url = after.callbackURL, let word = word(of: after) else { return nil }
        let previous = before.flatMap(word(of:))
        guard word != previous, previous == nil || word != TaskStatus.submitted.rawValue else { return nil }
        return NewDelivery(
            id: identifier(after, word), url: url, body: json(after, word), isLast: after.state.isFinal)
    }

    /// The status that the client sees; nil while the client can't know about the task, and while it is unknown whether
    /// Kling has it.
    static func word(of record: TaskRecord) -> String? {
        guard record.publicID != nil else { return nil }
        switch record.state {
        case .intent, .refused: return nil
        case .submitted, .processing:
            let word = TaskStatus(rawValue: record.statusWord)
            return word.rawValue.isEmpty || word.isKnown ? record.state.word : word.rawValue
        case .queued, .succeed, .failed: return record.state.word
        }
    }

    /// The body: Kling's last answer if it has this status, otherwise what the gateway knows.
    private static func json(_ record: TaskRecord, _ word: String) -> [UInt8] {
        let json = klingJSON(record, word)
        guard record.shape == Shape.solutions.rawValue else { return json }
        return TaskObject(json)?.solutionsJSON ?? json
    }

    private static func klingJSON(_ record: TaskRecord, _ word: String) -> [UInt8] {
        if let answer = record.answer, let task = TaskObject(answer), task.status?.rawValue == word {
            return TaskView.json(task, of: record)
        }
        let isReason = record.state == .failed && !TaskStatus(rawValue: record.statusWord).isKnown
        let fields = TaskFields(
            taskID: record.publicID ?? "", status: TaskStatus(rawValue: word),
            statusMessage: isReason ? record.statusWord : nil, createdAt: Int(record.createdAt),
            updatedAt: Int(record.updatedAt), externalTaskID: record.externalTaskID)
        return Redaction.withheld(record.id.description, of: record, from: fields.json)
    }

    /// The `webhook-id`. It is a digest because it must not reveal the gateway's own id, and Kling's status may
    /// contain any character. It covers the time because a status that the gateway doesn't know may occur twice.
    private static func identifier(_ record: TaskRecord, _ word: String) -> String {
        let digest = SHA256.hash(data: Array("\(record.id)\n\(record.updatedAt)\n\(word)".utf8))
        return "msg_" + Base64.encode(digest.prefix(18), .urlSafe)
    }
}
