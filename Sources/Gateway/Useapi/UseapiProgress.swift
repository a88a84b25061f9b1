internal import KlingAPI
internal import TaskStore

/// The status of a job, in useapi.net's numbers and words.
enum UseapiStatus: Int, Sendable {
    // useapi.net documents 5 and 99; Kling's web client is known to use the other two.
    case submitted = 5
    case processing = 10
    case failed = 50
    case succeed = 99

    var word: String {
        switch self {
        case .submitted: "submitted"
        case .processing: "processing"
        case .failed: "failed"
        case .succeed: "succeed"
        }
    }

    var isFinal: Bool { self == .failed || self == .succeed }
}

/// The combined progress of a job's tasks.
struct UseapiProgress: Sendable, Hashable {
    /// Submitted until Kling works on a task; final once all tasks have ended, with success if there is a picture.
    let status: UseapiStatus
    /// The finished pictures of each task, in the order of the tasks.
    let pictures: [[TaskImage]]
    /// What has gone wrong so far; empty if nothing has.
    let message: String

    init(_ tasks: [TaskRecord]) {
        pictures = tasks.map { task in
            guard task.state == .succeed else { return [] }
            return task.answer.flatMap { TaskObject($0) }?.images ?? []
        }
        let hasPicture = pictures.contains { !$0.isEmpty }
        if tasks.allSatisfy(\.state.isFinal) {
            status = hasPicture ? .succeed : .failed
        } else {
            status = tasks.contains { $0.state >= .processing } ? .processing : .submitted
        }
        message = Self.message(tasks, pictures)
    }

    private static func message(_ tasks: [TaskRecord], _ pictures: [[TaskImage]]) -> String {
        let failed = zip(tasks, pictures).filter { $0.0.state.isFinal && $0.1.isEmpty }.map(\.0)
        if failed.isEmpty { return "" }
        var reasons: [String] = []
        for reason in failed.map(reason) where !reasons.contains(reason) { reasons.append(reason) }
        let text = reasons.joined(separator: "; ")
        return tasks.count == 1 ? text : "\(failed.count) of \(tasks.count) pictures failed: \(text)"
    }

    /// Why a task has no picture: Kling's message, or the gateway's if Kling sent none.
    private static func reason(_ task: TaskRecord) -> String {
        if let said = task.answer.flatMap({ TaskObject($0) })?.statusMessage, !said.isEmpty {
            return Redaction.withheld(task.id, task.externalTaskID, from: said)
        }
        let isReason = task.state != .succeed && !TaskStatus(rawValue: task.statusWord).isKnown
        return isReason && !task.statusWord.isEmpty ? task.statusWord : "Kling sent no picture and no reason"
    }
}
