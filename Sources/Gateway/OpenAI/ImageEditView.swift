internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// The result of an edit's job, as OpenAI's clients read it.
struct ImageEditView {
    /// The pictures' URLs, in the order of the tasks. A task that failed while others succeeded has none.
    let urls: [String]
    private let job: JobRecord

    /// Creates the view of a job whose tasks have all ended.
    /// - Throws: the reason, if there is no picture.
    init(_ job: JobRecord) throws(GatewayError) {
        self.job = job
        let tasks = job.tasks.map { ($0, $0.answer.flatMap { TaskObject($0) }) }
        urls = tasks.flatMap { task, object in task.state == .succeed ? object?.images.map(\.url) ?? [] : [] }
        guard urls.isEmpty else { return }
        let (task, object) = tasks[0]
        throw .failed(task, reason: object?.statusMessage ?? (task.answer == nil ? task.statusWord : ""))
    }

    /// The data of the event for a picture, which is not copied. Of what OpenAI's clients require, Kling has no more
    /// than the picture.
    func event(_ index: Int, _ header: ImageHeader?, _ text: Bytes) -> [ByteSlice] {
        let rest = JSONWriter.object { event in
            event.member("created_at", created)
            event.member("size", header.map { "\($0.width)x\($0.height)" } ?? "auto")
            event.member("output_format", header.map { "\($0.format)" } ?? "png")
            event.member("quality", "auto")
            event.member("background", "auto")
            event.object("usage") { usage in
                for name in ["input_tokens", "output_tokens", "total_tokens"] as [StaticString] {
                    usage.member(name, 0)
                }
                usage.object("input_tokens_details") { details in
                    details.member("image_tokens", 0)
                    details.member("text_tokens", 0)
                }
            }
            event.member("url", urls[index])
            write(to: &event)
        }
        let start = #"{"type":"image_edit.completed","b64_json":""#
        return [
            ByteSlice(copying: start), ByteSlice(text, 0..<text.count),
            ByteSlice(copying: #"","# + String(decoding: rest.dropFirst(), as: UTF8.self)),
        ]
    }

    /// The answer's body, without the pictures themselves.
    var json: [UInt8] {
        JSONWriter.object { body in
            body.member("created", created)
            body.array("data") { data in
                for url in urls { data.object { $0.member("url", url) } }
            }
            write(to: &body)
        }
    }

    /// The answer's body with the pictures' base64, which is not copied.
    /// - Parameter includesURLs: whether the body also has the pictures' URLs.
    func slices(_ pictures: [Bytes], includesURLs: Bool) -> [ByteSlice] {
        var slices: [ByteSlice] = []
        var text = #"{"created":\#(created),"data":["#
        for (index, picture) in pictures.enumerated() {
            text += index == 0 ? "{" : ",{"
            if includesURLs { text += #""url":\#(String(decoding: JSONString.json(urls[index]), as: UTF8.self)),"# }
            slices += [ByteSlice(copying: text + #""b64_json":""#), ByteSlice(picture, 0..<picture.count)]
            text = #""}"#
        }
        let rest = JSONWriter.object { write(to: &$0) }.dropFirst()
        return slices + [ByteSlice(copying: text + "],"), ByteSlice(Bytes(rest), 0..<rest.count)]
    }

    private var created: Int { Int(job.createdAt / 1000) }

    /// Writes the ids by which clients query the tasks on Kling's paths, and the job on useapi.net's.
    private func write(to body: inout JSONWriter) {
        body.member("task_id", job.tasks[0].shownID)
        if job.tasks.count > 1 {
            body.array("task_ids") { list in for task in job.tasks { list.string(task.shownID) } }
        }
        body.member("job_id", Int(job.number))
    }
}

extension TaskRecord {
    /// The id by which the client knows the task.
    var shownID: String { self.publicID ?? self.id.description }
}

extension GatewayError {
    /// The error for a task that has failed. A retry would not help.
    fileprivate static func failed(_ task: TaskRecord, reason: String) -> GatewayError {
        let reason = Redaction.withheld(task.id, task.externalTaskID, from: reason)
        let lower = reason.lowercased()
        let isPolicy = moderationWords.contains { lower.contains($0) }
        let explanation = reason.isEmpty ? "Kling gives no reason." : "Kling says: \(reason)"
        var error = GatewayError(
            isPolicy ? .contentPolicy : .taskFailed,
            isPolicy
                ? "The pictures were refused by content moderation. \(explanation)"
                : "The task has failed. \(explanation)")
        error.taskID = task.shownID
        return error
    }

    /// Phrases in Kling's reasons that show that its moderation has refused a picture.
    private static let moderationWords = [
        "risk control", "security policy", "content policy", "sensitive", "moderation",
    ]

    /// The error for a job that has not ended in time.
    static func unfinished(_ job: JobRecord, after wait: Duration) -> GatewayError {
        var error = GatewayError(
            .taskUnfinished,
            "The picture was not ready after \(Int(wait.seconds)) s. Do not send the request again: query error.task_id."
        )
        error.taskID = job.tasks.first { !$0.state.isFinal }?.shownID ?? job.tasks[0].shownID
        return error
    }
}
