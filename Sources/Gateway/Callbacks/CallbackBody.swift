internal import Crypto
internal import KlingAPI
public import TaskStore

/// What a client is told of its task at its `callback_url`: Kling's flat callback under the client's ids.
public enum CallbackBody {
    /// The delivery that follows from a step of a task, if one does. The store calls it in the step's transaction; it
    /// makes the same of the same step.
    ///
    /// A delivery is due whenever the word that the client sees differs from the one before. `submitted` comes once, and
    /// before all others or not at all: a state that was not seen is not made up.
    /// - Parameter before: nil for a record that is new.
    public static func delivery(before: TaskRecord?, after: TaskRecord) -> NewDelivery? {
        guard let url = after.callbackURL, let word = word(of: after) else { return nil }
        let told = before.flatMap(word(of:))
        guard word != told, told == nil || word != TaskStatus.submitted.rawValue else { return nil }
        return NewDelivery(
            id: identifier(after, word), url: url, body: json(after, word), isLast: after.state.isFinal)
    }

    /// The word for a task's state that its client sees; nil as long as the client can't know of the task, and as long as
    /// nobody knows whether Kling has it.
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

    /// The body: Kling's own last words if they say so, else what the gateway knows.
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
        return Disclosure.withheld(record, from: fields.json)
    }

    /// `webhook-id`: a digest, because a client never sees the gateway's own id, and words of Kling's may have any letter.
    /// The time is in it because a word that nobody knows may come again.
    private static func identifier(_ record: TaskRecord, _ word: String) -> String {
        let digest = SHA256.hash(data: Array("\(record.id)\n\(record.updatedAt)\n\(word)".utf8))
        return "msg_" + Base64.encode(digest.prefix(18), .urlSafe)
    }
}
