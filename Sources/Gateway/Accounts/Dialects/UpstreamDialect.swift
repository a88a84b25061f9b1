internal import Base
internal import KlingAPI
internal import TaskStore

/// How an account is spoken to in one of Kling's APIs: what is sent, and what the answers mean. Nothing else asks which one
/// it is. Tasks come out in the words of the older API, in which the gateway knows them.
protocol UpstreamDialect: Sendable {
    /// How many tasks one query may ask for.
    var tasksPerQuery: Int { get }
    /// Whether a page of a list is asked for by its number, and not by what the page before has said.
    var hasPageNumbers: Bool { get }
    /// Whether it takes the bytes of pictures, and not their URLs alone.
    var takesFiles: Bool { get }
    /// Whether it takes files of that format.
    func takesFile(in format: PictureFormat) -> Bool

    /// Refuses a request that can't be made in it.
    /// - Throws: ``Cause/badParameter``, which names the member.
    func check(_ request: TryOnRequest) throws(GatewayError)

    /// Makes a task.
    func create(_ body: [ByteSlice]) -> UpstreamRequest
    /// Asks for tasks, ``tasksPerQuery`` at most: all of them by the account's ids, or all by the gateway's.
    func query(_ tasks: [AskedTask]) -> UpstreamRequest
    /// Asks for a page of the account's tasks.
    func list(_ position: ListPosition) -> UpstreamRequest

    /// The answer to a create, with the task in the words of the older API.
    func created(_ answer: UpstreamAnswer) -> UpstreamAnswer
    /// What the answer to a query says of each of the tasks, in their order.
    func found(_ answer: UpstreamAnswer, _ tasks: [AskedTask]) -> [QueriedTask]
    /// The page that an answer to a list is; nil if it is none.
    func page(_ answer: UpstreamAnswer) -> TaskPage?
}

extension KlingDialect {
    /// How accounts are spoken to in it.
    var speech: any UpstreamDialect {
        switch self {
        case .kolors: KolorsDialect()
        case .solutions: SolutionsDialect()
        }
    }
}

/// A request to an account, as far as an API decides it.
struct UpstreamRequest: Sendable {
    let kind: UpstreamCallKind
    var method = UpstreamMethod.get
    /// What follows the account's base URL.
    let path: String
    var body: [ByteSlice] = []
}

/// A task that an account is asked for.
struct AskedTask: Sendable {
    /// The gateway's id, which was sent as `external_task_id`.
    let id: TaskID
    /// The account's id; nil: it is not known, and the task is asked for by the gateway's.
    let upstreamID: String?
}

/// Where a list call goes on.
struct ListPosition: Sendable {
    /// The page, from 1.
    var page = 1
    /// What the page before has said of this one, where pages have no numbers; nil: it is the first.
    var cursor: String?
}
