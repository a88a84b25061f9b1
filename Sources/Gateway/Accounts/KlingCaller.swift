internal import Base
internal import KlingAPI
internal import TaskStore

/// Calls Kling with an account's token. If Kling rejects the token as expired or not yet valid, signs a new one and
/// retries once.
final class KlingCaller: Sendable {
    private let upstream: any KlingUpstream
    let observer: any GatewayObserver

    init(upstream: any KlingUpstream, observer: any GatewayObserver) {
        (self.upstream, self.observer) = (upstream, observer)
    }

    /// Sends the create of a task.
    /// - Parameters:
    ///   - timeout: how long to wait for the answer; `nil` for the account's timeout.
    ///   - isCancellable: see ``KlingCall/isCancellable``.
    func create(
        _ destination: Destination, _ task: TaskID, _ body: [ByteSlice], timeout: Duration? = nil,
        isCancellable: Bool = true
    ) async throws(KlingFailure) -> UpstreamAnswer {
        let adapter = destination.dialect.adapter
        let answer = try await call(
            adapter.create(body), of: [task], destination.account, timeout: timeout ?? destination.account.timeout,
            isCancellable: isCancellable)
        return adapter.created(answer)
    }

    /// Queries a task by Kling's id or, if that is `nil`, by the gateway's id, which was sent as `external_task_id`.
    /// For an account that is known to ignore the gateway's ids, a query by them is not sent: the result is `unknown`.
    func query(
        _ destination: Destination, _ task: TaskID, upstreamID: String?, timeout: Duration
    ) async -> QueryResult {
        if upstreamID == nil, destination.account.capabilities.hasLookup == false { return .unknown }
        return await queryUnchecked(destination, task, upstreamID: upstreamID, timeout: timeout)
    }

    /// Queries a task without checking first whether the account ignores the gateway's ids.
    func queryUnchecked(
        _ destination: Destination, _ task: TaskID, upstreamID: String?, timeout: Duration
    ) async -> QueryResult {
        await query(destination, [TaskReference(id: task, upstreamID: upstreamID)], timeout: timeout).first ?? .none
    }

    /// Queries several tasks with one call, at most ``UpstreamDialect/tasksPerQuery``. The results are in the order of
    /// `tasks`.
    func query(_ destination: Destination, _ tasks: [TaskReference], timeout: Duration) async -> [QueryResult] {
        let adapter = destination.dialect.adapter
        let answer = try? await call(
            adapter.query(tasks), of: tasks.map(\.id), destination.account, timeout: timeout)
        guard let answer else { return tasks.map { _ in .none } }
        return adapter.found(answer, tasks)
    }

    /// Requests a page of the account's tasks, newest first.
    /// - Returns: the answer, and the page that it contains; `nil` if it contains none.
    func list(
        _ destination: Destination, _ position: ListPosition = ListPosition(), timeout: Duration
    ) async throws(KlingFailure) -> (answer: UpstreamAnswer, page: TaskPage?) {
        let adapter = destination.dialect.adapter
        let answer = try await call(adapter.list(position), of: [], destination.account, timeout: timeout)
        return (answer, adapter.page(answer))
    }

    /// Sends any request, signing it again once if Kling rejects the token by its time.
    func call(
        _ request: UpstreamRequest, of tasks: [TaskID], _ account: Account, timeout: Duration,
        isCancellable: Bool = true
    ) async throws(KlingFailure) -> UpstreamAnswer {
        let token = account.token(now: Int(WallClock.seconds))
        let call = KlingCall(
            kind: request.kind, method: request.method, account: account, tasks: tasks, path: request.path,
            token: token, body: request.body, timeout: timeout, isCancellable: isCancellable)
        let answered = try await send(call)
        // The codes 1003 and 1004 mean that Kling has not processed the request, so it may be sent again.
        guard answered.envelope?.code.class == .tokenTime, account.invalidate(token) else { return answered }
        var retry = call
        retry.token = account.token(now: Int(WallClock.seconds))
        return try await send(retry)
    }

    private func send(_ call: KlingCall) async throws(KlingFailure) -> UpstreamAnswer {
        let start = MonotonicTime.now
        do {
            let reply = try await upstream.send(call)
            let answer = UpstreamAnswer(reply)
            observer.upstreamCall(
                call,
                UpstreamCallEnd(
                    outcome: answer.outcome, detail: answer.detail, envelope: answer.envelope,
                    duration: MonotonicTime.now - start))
            return answer
        } catch {
            observer.upstreamCall(
                call,
                UpstreamCallEnd(
                    outcome: .fault(error.fault), detail: error.detail, duration: MonotonicTime.now - start))
            throw error
        }
    }
}

/// An upstream's answer, with or without Kling's envelope.
enum UpstreamAnswer: Sendable {
    /// With Kling's envelope.
    case enveloped(status: Int, KlingAnswer)
    /// Without one.
    case bare(BareAnswer)

    init(_ reply: KlingReply) {
        self =
            if let answer = KlingAnswer(reply.body) {
                .enveloped(status: reply.status, answer)
            } else {
                .bare(BareAnswer(httpStatus: reply.status, body: reply.body))
            }
    }

    /// The HTTP status.
    var status: Int {
        switch self {
        case .enveloped(let status, _): status
        case .bare(let answer): answer.httpStatus
        }
    }

    /// Kling's envelope, if there is one.
    var envelope: KlingAnswer? { if case .enveloped(_, let answer) = self { answer } else { nil } }

    /// The outcome that metrics count the answer as.
    fileprivate var outcome: UpstreamCallOutcome {
        switch self {
        case .enveloped(_, let answer): .code(answer.code)
        case .bare(let answer): .fault(answer.httpStatus >= 400 ? .httpError : .malformed)
        }
    }

    /// Why there is no envelope, for the log; `nil` if there is one.
    fileprivate var detail: String? {
        if case .bare(let answer) = self { answer.summary + ", without an envelope" } else { nil }
    }

    /// Whether the answer says that the account doesn't speak this API, because it has no such route or no such model.
    /// If so, no task was created.
    var deniesRoute: Bool {
        switch self {
        case .bare(let answer): return hasNoRoute || answer.verdict == .model
        case .enveloped(_, let answer):
            // Only a request error can mean this, whatever the HTTP status; and a duplicate means that there is a task.
            guard answer.code.class == .request, !answer.isDuplicate else { return false }
            if hasNoRoute || [.invalidMethod, .notFound].contains(answer.code) { return true }
            return answer.code == .invalidParameter && answer.message.lowercased().contains("model")
        }
    }

    /// Whether the answer says that there is no such path or method. Resellers without lists answer so to a list call.
    var hasNoRoute: Bool { [404, 405, 501].contains(status) && envelope?.code != .rateLimited }
}
