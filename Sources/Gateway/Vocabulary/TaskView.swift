internal import Glibc
internal import KlingAPI
internal import TaskStore

/// A task as its owner sees it: Kling's task object with the client's ids.
enum TaskView {
    /// The task object of a record, from Kling's last answer.
    static func json(_ record: TaskRecord) -> [UInt8] {
        guard let answer = record.answer, let task = TaskObject(answer) else { return bare(record) }
        return json(task, of: record)
    }

    /// The task object that Kling has just sent, for the task's owner. The gateway's own id doesn't show in it, not
    /// even if Kling repeats it in an unknown member.
    /// - Parameter ownID: the gateway's own id; nil: it is made from the record.
    static func json(_ task: TaskObject, of record: TaskRecord, _ ownID: String? = nil) -> [UInt8] {
        let ownID = ownID ?? record.id.description
        let json = task.rewritten(taskID: record.publicID ?? ownID, externalTaskID: record.externalTaskID)
        return Redaction.withheld(ownID, of: record, from: json)
    }

    /// The task object of a task about which Kling has said nothing yet.
    private static func bare(_ record: TaskRecord) -> [UInt8] {
        JSONWriter.object { task in
            task.member("task_id", record.publicID ?? record.id.description)
            task.member("task_status", record.state.word)
            if record.state == .failed { task.member("task_status_msg", record.statusWord) }
            task.object("task_info") { $0.member("external_task_id", ifPresent: record.externalTaskID) }
            task.member("created_at", Int(record.createdAt))
            task.member("updated_at", Int(record.updatedAt))
        }
    }
}

/// Hides the gateway's own id of a task, which Kling knows as `external_task_id`.
enum Redaction {
    /// `json` with the client's own id in place of the gateway's; unchanged if the gateway's is the public id.
    static func withheld(_ own: String, of record: TaskRecord, from json: [UInt8]) -> [UInt8] {
        guard record.publicID != own, contains(json, own) else { return json }
        let text = String(decoding: json, as: UTF8.self)
        let clientID = record.externalTaskID.map {
            String(decoding: JSONString.json($0).dropFirst().dropLast(), as: UTF8.self)
        }
        return Array(
            text.split(separator: own, omittingEmptySubsequences: false).joined(separator: clientID ?? "").utf8)
    }

    /// The same for a message from Kling.
    static func withheld(_ id: TaskID, _ externalTaskID: String?, from message: String) -> String {
        guard message.contains(id.description) else { return message }
        return message.split(separator: id.description, omittingEmptySubsequences: false)
            .joined(separator: externalTaskID ?? "")
    }

    private static func contains(_ json: [UInt8], _ id: String) -> Bool {
        var id = id
        return id.withUTF8 { id in
            // An id begins like every other id and like many numbers. Its first capital letter is rare in JSON.
            let mark = unsafe id.firstIndex { $0 >= UInt8(ascii: "A") } ?? 0
            return unsafe json.withUnsafeBytes { json in
                guard let first = json.baseAddress, let wanted = id.baseAddress, id.count <= json.count else {
                    return false
                }
                let end = json.count - id.count + mark + 1
                var start = mark
                // `memchr` and `memcmp` read within the JSON: `end` leaves room for the rest of an id.
                while start < end, let found = unsafe memchr(first + start, Int32(id[mark]), end - start) {
                    let place = unsafe UnsafeRawPointer(found) - first
                    if unsafe memcmp(first + place - mark, wanted, id.count) == 0 { return true }
                    start = place + 1
                }
                return false
            }
        }
    }
}

extension TaskState {
    /// Kling's word for the state; a task that Kling doesn't know yet is shown as submitted.
    var word: String {
        switch self {
        case .intent, .queued, .submitted: TaskStatus.submitted.rawValue
        case .processing: TaskStatus.processing.rawValue
        case .succeed: TaskStatus.succeed.rawValue
        case .failed, .refused: TaskStatus.failed.rawValue
        }
    }

    /// The state for Kling's word; nil for unknown words, which count as unfinished.
    init?(_ status: TaskStatus?) {
        switch status {
        case .submitted: self = .submitted
        case .processing: self = .processing
        case .succeed: self = .succeed
        case .failed: self = .failed
        default: return nil
        }
    }
}
