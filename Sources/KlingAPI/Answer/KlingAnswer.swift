public import Base

/// An answer from Kling: the envelope `code`, `message`, `request_id` and `data`, and any other members.
public final class KlingAnswer: Sendable {
    /// Kling's service code.
    public let code: KlingCode
    /// The task, if `data` is one object.
    public let task: TaskObject?
    let envelope: JSONObject

    /// Reads an answer's body; nil unless it is a JSON object with an integer `code`.
    public init?(_ body: [UInt8]) {
        guard let scan = try? JSONScanner(body.span, range: 0..<body.count, opening: "data"),
            let envelope = JSONObject(body, scan), let code = envelope.integer("code")
        else { return nil }
        self.code = KlingCode(rawValue: code)
        task = scan.opened.flatMap { TaskObject(JSONObject(body, range: $0.range, $0.members)) }
        self.envelope = envelope
    }

    /// Reads a copy of an answer's body; nil unless it is a JSON object with an integer `code`.
    public convenience init?(_ body: ByteSlice) {
        self.init(body.bytes.withByteSpan { $0.array(body.range) })
    }

    /// Kling's message; empty if there is none.
    public var message: String { envelope.string("message") ?? "" }

    /// Kling's request id.
    public var requestID: String? { envelope.string("request_id") }

    /// The JSON of `data`.
    public var data: ArraySlice<UInt8>? { envelope["data"].map { envelope.bytes[$0.value] } }

    /// The tasks, if `data` is an array. Elements that are not tasks are left out.
    public var tasks: [TaskObject]? {
        envelope.array("data")?.compactMap { element in
            element.kind == .object ? TaskObject(envelope.bytes, range: element.value) : nil
        }
    }

    /// Whether this answer to a query by id says that Kling does not know the task: either with code 1201 or 1203, or
    /// with a placeholder task that failed because the task was not found.
    public var isUnknownTask: Bool {
        if code == .invalidParameter || code == .notFound { return true }
        guard code == .ok, let task, task.status == .failed else { return false }
        return task.statusMessage?.lowercased().contains("task not found") == true
    }

    /// Whether this answer to a create says that a task with its `external_task_id` already exists: code 1201, with the
    /// member's name in the message. The gateway never reuses an id, so the existing task is this very one, which
    /// arrived earlier.
    public var isDuplicate: Bool {
        code == .invalidParameter && message.lowercased().contains("external_task_id")
    }

    /// Copies the answer member by member, with another `request_id` and other `data` if they are given.
    public func relayed(requestID: String? = nil, data: [UInt8]? = nil) -> [UInt8] {
        JSONWriter.object(capacity: envelope.bytes.count + 64) { writer in
            envelope.write(to: &writer) { member, bytes in
                if let requestID, member.isNamed("request_id", bytes) { return .text(requestID) }
                if let data, member.isNamed("data", bytes) { return .json(data) }
                return .keep
            }
            if let requestID, envelope["request_id"] == nil { writer.member("request_id", requestID) }
            if let data, envelope["data"] == nil { writer.member("data", json: data) }
        }
    }
}

/// What an answer to a create says about the task.
public enum CreateOutcome: Sendable, Hashable {
    /// Kling has the task, under this id.
    case accepted(taskID: String)
    /// Kling did not accept the task for a reason specific to the account; another account may accept it.
    case refusedForNow
    /// This account does not accept this request; another account may.
    case refusedHere
    /// Kling did not accept the task, and no account will.
    case refusedForGood
    /// It is unknown whether Kling accepted the task: look it up before anything is sent again.
    case ambiguous

    /// Judges an answer with Kling's envelope, received with this HTTP status.
    public init(httpStatus: Int, _ answer: KlingAnswer) {
        switch answer.code.class {
        case .ok:
            self = answer.task?.taskID.map { .accepted(taskID: $0) } ?? .ambiguous
        case .credentials, .tokenTime, .permission, .rateLimited, .saturated, .unavailable:
            self = .refusedForNow
        case .request, .ambiguous, .unknown:
            let isRefusal = (400...499).contains(httpStatus) && answer.code.class != .ambiguous
            self = isRefusal && !answer.isDuplicate ? .refusedForGood : .ambiguous
        }
    }

    /// Judges an answer without Kling's envelope.
    public init(_ answer: BareAnswer) {
        self =
            switch answer.verdict {
            case .unavailable, .rateLimited, .account, .model: .refusedForNow
            case .request: .refusedHere
            case .ambiguous: .ambiguous
            }
    }
}
