internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// The life of tasks between clients, the store and Kling: created here, queried here, listed here.
struct TryOnTasks: Sendable {
    let store: any TaskStore
    let caller: KlingCaller
    let accounts: Accounts
    let cache: TaskCache
    let ids: Lock<TaskIDGenerator>
    let running: RunningTasks
    /// How old what is said of an unfinished task may be.
    let freshness: Duration
    /// How many creates are under way, counted from the intent to the answer.
    let openCreates: Lock<Int>

    /// How long a query waits for Kling.
    static let refreshTime: Duration = .seconds(3)
    /// How long a list waits for Kling.
    static let listTime: Duration = .seconds(2)

    /// A new gateway id.
    func makeID() -> TaskID {
        ids.withLock { $0.next(at: WallClock.milliseconds) }
    }

    /// Notes what Kling says of a task that it has.
    func observe(_ task: TaskObject, of record: TaskRecord) async throws(StoreError) -> TaskRecord {
        let word = task.status?.rawValue ?? ""
        let state = TaskState(task.status)
        let json = Array(task.json)
        if state == record.state || state == nil, word == record.statusWord, json == record.answer { return record }
        let observation = Observation(state: state, statusWord: word, answer: json, at: WallClock.milliseconds)
        let observed = try await store.observe(record.id, observation)
        if observed.state.isFinal { release(observed) }
        return observed
    }

    /// Notes that Kling has a task, as it said in `answer`.
    func accept(
        _ task: TaskObject, in answer: KlingAnswer, upstreamID: String, _ id: TaskID
    ) async throws(StoreError) -> TaskRecord {
        let acceptance = Acceptance(
            upstreamID: upstreamID, publicID: upstreamID, state: TaskState(task.status) ?? .submitted,
            statusWord: task.status?.rawValue ?? "", answer: Array(task.json), at: WallClock.milliseconds)
        let record = try await store.accept(id, acceptance) {
            StoredAnswer(status: 200, body: answer.relayed(data: TaskView.json($0)))
        }
        if record.state.isFinal { release(record) }
        return record
    }

    /// A task has ended: it takes up no concurrency any more.
    private func release(_ record: TaskRecord) {
        running.finish(record.id)
        if let account = record.account { accounts.settled(record.id, on: account, .ended) }
    }
}

extension GatewayError {
    /// The store did not do what it was asked. Details stay in the log.
    init(_ error: StoreError) {
        switch error.code {
        case .externalTaskIDInUse:
            self.init(
                .badParameter,
                "external_task_id is in use by another task of yours. Send another one, or query that task.",
                parameter: "external_task_id")
        default:
            self.init(.storeUnavailable, "The gateway cannot reach its store. Send the request again in a few seconds.")
        }
    }
}
