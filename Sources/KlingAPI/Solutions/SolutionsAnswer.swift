/// An answer of Kling in the new shape, whose tasks are read into the older one (Kling, virtual-try-on page).
public struct SolutionsAnswer: Sendable {
    /// The envelope, which both shapes have: code, message and id of the exchange. Its `data` is as it came.
    public let envelope: KlingAnswer
    /// The tasks of a query or of a page of a list; nil if there is no array of them. Elements that are no task are left
    /// out.
    public let tasks: [TaskObject]?
    /// Where a list goes on; nil if Kling does not say.
    public let nextCursor: String?
    /// Whether the list goes on.
    public let hasMore: Bool

    /// Whether each element of the array is a task with an id.
    private let isWhole: Bool

    /// What a query says of one task.
    public enum Finding: Sendable {
        /// Kling has the task. In the answer it is `data` all alone, as in an answer of the older shape.
        case found(KlingAnswer, TaskObject)
        /// Kling says that it has no such task.
        case unknown
        /// The answer does not say.
        case unclear
    }

    /// Reads an answer's body; nil unless it is a JSON object with an integer `code`.
    public init?(_ body: [UInt8]) {
        guard let envelope = KlingAnswer(body) else { return nil }
        self.init(envelope)
    }

    /// Reads an answer whose envelope was read.
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

    /// The answer to a create as the older shape has it: `data` is the task. One without a task is as it came; nil if
    /// what stands in its place cannot be read, so that nobody knows what was made.
    public var created: KlingAnswer? {
        guard let data = envelope.envelope["data"], data.kind == .object else { return envelope }
        return TaskObject(solutions: envelope.envelope.bytes, range: data.value)
            .flatMap(Self.withoutEnd).flatMap { answer(with: $0) }
    }

    /// This answer has no result and no reason: a task that has ended by then is told as submitted, so that it is read
    /// once more.
    private static func withoutEnd(_ task: TaskObject) -> TaskObject? {
        let isWhole = task.status == .succeed ? !task.images.isEmpty : task.statusMessage != nil
        guard task.status?.isFinal == true, !isWhole, let id = task.taskID else { return task }
        return TaskObject(task.rewritten(taskID: id, externalTaskID: task.externalTaskID, status: .submitted))
    }

    /// What the answer to a query says of a task that it has asked for.
    ///
    /// A task counts as unknown only if the answer shows it: by an array of tasks in which each names its id and none is
    /// it, or in words. 1201 or 1203 alone may mean a query whose ids got lost, or an account without this path.
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
    /// The id of a task by which this asks for it.
    fileprivate func id(of task: TaskObject) -> String? {
        switch self {
        case .taskIDs: task.taskID
        case .externalTaskIDs: task.externalTaskID
        }
    }
}
