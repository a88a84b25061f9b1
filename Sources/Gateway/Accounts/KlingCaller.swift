internal import Base
internal import KlingAPI
internal import TaskStore

/// Asks Kling as one account: with a token, which is signed once more when Kling finds it outside of its time.
struct KlingCaller: Sendable {
    let upstream: any KlingUpstream
    let observer: any GatewayObserver

    /// Sends the create of a task.
    /// - Parameter timeout: how long Kling has; nil: as long as the account allows.
    func create(
        _ destination: Destination, _ task: TaskID, _ body: [ByteSlice], timeout: Duration? = nil
    ) async throws(KlingFailure) -> UpstreamAnswer {
        let speech = destination.dialect.speech
        let answer = try await call(
            speech.create(body), of: [task], destination.account, timeout: timeout ?? destination.account.timeout)
        return speech.created(answer)
    }

    /// Asks for a task by Kling's id or, without one, by the gateway's, which was sent as `external_task_id`. An account
    /// that ignores the gateway's ids is not asked by them.
    func query(
        _ destination: Destination, _ task: TaskID, upstreamID: String?, timeout: Duration
    ) async -> QueriedTask {
        if upstreamID == nil, destination.account.hasLookup == false { return .unknown }
        return await ask(destination, task, upstreamID: upstreamID, timeout: timeout)
    }

    /// The same, also where it is not known yet what asking is worth.
    func ask(_ destination: Destination, _ task: TaskID, upstreamID: String?, timeout: Duration) async -> QueriedTask {
        await query(destination, [AskedTask(id: task, upstreamID: upstreamID)], timeout: timeout).first ?? .none
    }

    /// Asks for several tasks at once, as many as the API takes; what is known of each, in their order.
    func query(_ destination: Destination, _ tasks: [AskedTask], timeout: Duration) async -> [QueriedTask] {
        let speech = destination.dialect.speech
        let answer = try? await call(
            speech.query(tasks), of: tasks.map(\.id), destination.account, timeout: timeout)
        guard let answer else { return tasks.map { _ in .none } }
        return speech.found(answer, tasks)
    }

    /// Asks for a page of the account's tasks, newest first.
    /// - Returns: the answer, and the page that it is.
    func list(
        _ destination: Destination, _ position: ListPosition = ListPosition(), timeout: Duration
    ) async throws(KlingFailure) -> (answer: UpstreamAnswer, page: TaskPage?) {
        let speech = destination.dialect.speech
        let answer = try await call(speech.list(position), of: [], destination.account, timeout: timeout)
        return (answer, speech.page(answer))
    }

    private func call(
        _ request: UpstreamRequest, of tasks: [TaskID], _ account: Account, timeout: Duration
    ) async throws(KlingFailure) -> UpstreamAnswer {
        let token = account.token(now: Int(WallClock.seconds))
        let call = KlingCall(
            kind: request.kind, method: request.method, account: account, tasks: tasks, path: request.path,
            token: token, body: request.body, timeout: timeout)
        let answered = try await send(call)
        // 1003 and 1004 say that the request was not even looked at: it may be sent again.
        guard answered.envelope?.code.class == .tokenTime, account.invalidate(token) else { return answered }
        var again = call
        again.token = account.token(now: Int(WallClock.seconds))
        return try await send(again)
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

/// An upstream's answer, as far as it could be read.
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

    /// The answer as metrics count it.
    fileprivate var outcome: UpstreamCallOutcome {
        switch self {
        case .enveloped(_, let answer): .code(answer.code)
        case .bare(let answer): .fault(answer.httpStatus >= 400 ? .httpError : .malformed)
        }
    }

    /// What the log says of it; `nil` if the outcome says it all.
    fileprivate var detail: String? {
        if case .bare(let answer) = self { answer.summary + ", without an envelope" } else { nil }
    }

    /// Whether it says that an account speaks the other of Kling's APIs, or not this one: that there is no such route, or no
    /// such model. Then nothing was made.
    var deniesRoute: Bool {
        switch self {
        case .bare(let answer): return hasNoRoute || answer.verdict == .model
        case .enveloped(_, let answer):
            // Whatever the status: only a refusal of the request itself is one, and a duplicate says that there is a task.
            guard answer.code.class == .request, !answer.isDuplicate else { return false }
            if hasNoRoute || [.invalidMethod, .notFound].contains(answer.code) { return true }
            return answer.code == .invalidParameter && answer.message.lowercased().contains("model")
        }
    }

    /// Whether it says that there is no such path or method, as resellers without a list do.
    var hasNoRoute: Bool { [404, 405, 501].contains(status) && envelope?.code != .rateLimited }
}
