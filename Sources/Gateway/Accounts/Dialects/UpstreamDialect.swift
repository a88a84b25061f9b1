internal import Base
internal import KlingAPI
internal import TaskStore

/// One of Kling's APIs, as spoken to accounts: what is sent, and what the answers mean. Other code doesn't ask which
/// one it is. Tasks are returned in the form of the older API, which the gateway uses internally.
protocol UpstreamDialect: Sendable {
    /// The maximum number of tasks in one query.
    var tasksPerQuery: Int { get }
    /// Whether list pages are requested by number, rather than by a cursor from the page before.
    var hasPageNumbers: Bool { get }
    /// Whether it takes the bytes of pictures, not only their URLs.
    var takesFiles: Bool { get }
    /// Whether it takes the bytes of pictures in this format.
    func takesFile(in format: PictureFormat) -> Bool

    /// Rejects a request that this API cannot express.
    /// - Throws: ``Cause/badParameter`` with the name of the member.
    func check(_ request: TryOnRequest) throws(GatewayError)

    /// The request that creates a task.
    func create(_ body: [ByteSlice]) -> UpstreamRequest
    /// The request that queries tasks, at most ``tasksPerQuery``: all by the account's ids, or all by the gateway's.
    func query(_ tasks: [TaskReference]) -> UpstreamRequest
    /// The request for a page of the account's tasks.
    func list(_ position: ListPosition) -> UpstreamRequest

    /// The answer to a create, with the task in the form of the older API.
    func created(_ answer: UpstreamAnswer) -> UpstreamAnswer
    /// What the answer to a query says about each task, in the order of `tasks`.
    func found(_ answer: UpstreamAnswer, _ tasks: [TaskReference]) -> [QueryResult]
    /// The page in the answer to a list call; nil if it has none.
    func page(_ answer: UpstreamAnswer) -> TaskPage?
}

extension KlingDialect {
    /// The implementation of this API.
    var adapter: any UpstreamDialect {
        switch self {
        case .kolors: KolorsDialect()
        case .solutions: SolutionsDialect()
        }
    }
}

/// The parts of a request that depend on the API.
struct UpstreamRequest: Sendable {
    let kind: UpstreamCallKind
    var method = UpstreamMethod.get
    /// The path and query after the account's base URL.
    let path: String
    var body: [ByteSlice] = []
}

/// The ids of a task that is queried at an account.
struct TaskReference: Sendable {
    /// The gateway's id, which was sent as `external_task_id`.
    let id: TaskID
    /// The account's id; nil if it is unknown, and the query uses the gateway's id.
    let upstreamID: String?
}

/// Which page a list call requests.
struct ListPosition: Sendable {
    /// The page, from 1.
    var page = 1
    /// The cursor from the page before, where pages have no numbers; nil for the first page.
    var cursor: String?
}
