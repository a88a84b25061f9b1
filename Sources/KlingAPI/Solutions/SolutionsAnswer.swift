/// An answer from Kling in the newer shape, with its tasks converted to the older one (Kling, virtual-try-on page).
public struct SolutionsAnswer: Sendable {
    /// The envelope, which both shapes share: code, message and request id. Its `data` is not converted.
    public let envelope: KlingAnswer
    /// The tasks of a query or of a page of a list; nil if the answer has no array of them. Elements that are not tasks
    /// are left out.
    public let tasks: [TaskObject]?
    /// The cursor of a list's next page; nil if Kling gives none.
    public let nextCursor: String?
    /// Whether the list has more pages.
    public let hasMore: Bool

    /// Whether each element of the array is a task with an id.
    private let isWhole: Bool

    /// What the answer to a query says about one task.
    public enum Finding: Sendable {
        /// Kling has the task. In the answer given here, `data` is that task alone, as in the older shape.
        case found(KlingAnswer, TaskObject)
        /// Kling says that it has no such task.
        case unknown
        /// The answer does not say whether Kling has the task.
        case unclear
    }

    /// Reads an answer's body; nil unless it is a JSON object with an integer `code`.
    public init?(_ body: [UInt8]) {
        guard let envelope = KlingAnswer(body) else { return nil }
        self.init(envelope)
    }

    /// Reads an answer from an envelope that is already parsed.
    public init(_ envelope: KlingAnswer) {
        self.envelope = envelope
        let body = envelope.envelope.bytes
        let page = envelope.envelope.object("data")
        let elements = envelope.envelope.array("data") ?? page?.array("result")
        let tasks = elements?.compactMap { element in
            element.kind == .object ? TaskObject(solutions: body, range: element.value) : nil
        }
        self.tasks = tasks
        isWhole = tasks?.count == elements?.count && tasks?.allSatisfy { $0.taskID != nil } == true
        nextCursor = page?.identifier("next_cursor").flatMap { $0.isEmpty ? nil : $0 }
        hasMore = page?.bool("has_more") ?? (nextCursor != nil)
    }

    /// The answer to a create, converted to the older shape: `data` is the task. An answer whose `data` is not an
    /// object is returned unchanged; nil if the object is not a valid task, so that it is unknown what Kling created.
    public var created: KlingAnswer? {
        guard let data = envelope.envelope["data"], data.kind == .object else { return envelope }
        return TaskObject(solutions: envelope.envelope.bytes, range: data.value)
            .flatMap(Self.submittedIfIncomplete).flatMap { answer(with: $0) }
    }

    /// The task, reported as submitted if it has ended without a result or a reason, so that the gateway reads it
    /// again. The answer to a create has neither.
    private static func submittedIfIncomplete(_ task: TaskObject) -> TaskObject? {
        let isWhole = task.status == .succeed ? !task.images.isEmpty : task.statusMessage != nil
        guard task.status?.isFinal == true, !isWhole, let id = task.taskID else { return task }
        return TaskObject(task.rewritten(taskID: id, externalTaskID: task.externalTaskID, status: .submitted))
    }

    /// Looks up one of the queried tasks in the answer.
    ///
    /// A task counts as unknown only if the answer proves it: either all elements of the array are tasks that name
    /// their id and none of them matches, or the message says so. Code 1201 or 1203 alone may mean that the ids in the
    /// query were lost, or that the account does not have this path.
    public func find(_ id: String, by key: SolutionsQuery.Key) -> Finding {
        guard envelope.code == .ok else { return saysNotFound ? .unknown : .unclear }
        guard let tasks else { return .unclear }
        guard let task = tasks.first(where: { key.id(of: $0) == id }) else {
            return isWhole && tasks.allSatisfy { key.id(of: $0) != nil } ? .unknown : .unclear
        }
        guard let answer = answer(with: task) else { return .unclear }
        return answer.isUnknownTask ? .unknown : .found(answer, task)
    }

    private var saysNotFound: Bool {
        (envelope.code == .invalidParameter || envelope.code == .notFound)
            && envelope.message.lowercased().contains("task not found")
    }

    private func answer(with task: TaskObject) -> KlingAnswer? {
        KlingAnswer(envelope.relayed(data: Array(task.json)))
    }
}

extension SolutionsQuery.Key {
    /// The id of `task` that a query by this key uses.
    fileprivate func id(of task: TaskObject) -> String? {
        switch self {
        case .taskIDs: task.taskID
        case .externalTaskIDs: task.externalTaskID
        }
    }
}
