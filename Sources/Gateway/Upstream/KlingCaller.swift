internal import Base
internal import KlingAPI
internal import TaskStore

/// Asks Kling as one account: with a token, which is signed once more when Kling finds it outside of its time.
struct KlingCaller: Sendable {
    let upstream: any KlingUpstream
    let observer: any GatewayObserver

    /// Sends a create.
    /// - Parameter timeout: how long Kling has; nil: as long as the account allows.
    func create(
        _ account: Account, _ body: [ByteSlice], timeout: Duration? = nil
    ) async throws(KlingFailure) -> UpstreamAnswer {
        try await call(.create, account, TryOn.path, body: body, timeout: timeout ?? account.timeout)
    }

    /// Asks for a task by Kling's id or, without one, by the gateway's, which was sent as `external_task_id`. An account
    /// that ignores the gateway's ids is not asked by them.
    func query(_ account: Account, _ task: TaskID, upstreamID: String?, timeout: Duration) async -> QueriedTask {
        if upstreamID == nil, account.hasLookup == false { return .unknown }
        return await ask(account, task, upstreamID: upstreamID, timeout: timeout)
    }

    /// The same, also where it is not known yet what asking is worth.
    func ask(_ account: Account, _ task: TaskID, upstreamID: String?, timeout: Duration) async -> QueriedTask {
        let path = TryOn.path + "/" + Self.escaped(upstreamID ?? task.description)
        guard let answer = try? await call(.query, account, path, timeout: timeout) else { return .none }
        return QueriedTask(answer, to: task, upstreamID: upstreamID)
    }

    /// Asks for a page of the account's tasks, newest first.
    func list(_ account: Account, page: Int = 1, timeout: Duration) async throws(KlingFailure) -> UpstreamAnswer {
        let size = TryOn.pageSizes.upperBound
        return try await call(.list, account, TryOn.path + "?pageNum=\(page)&pageSize=\(size)", timeout: timeout)
    }

    private func call(
        _ kind: UpstreamCallKind, _ account: Account, _ path: String, body: [ByteSlice] = [], timeout: Duration
    ) async throws(KlingFailure) -> UpstreamAnswer {
        let token = account.token(now: Int(WallClock.seconds))
        let call = KlingCall(kind: kind, account: account, path: path, token: token, body: body, timeout: timeout)
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
                call, answer.outcome, detail: answer.detail, duration: MonotonicTime.now - start)
            return answer
        } catch {
            observer.upstreamCall(
                call, .fault(error.fault), detail: error.detail, duration: MonotonicTime.now - start)
            throw error
        }
    }

    /// An id as a path segment: everything but unreserved characters is percent-encoded (RFC 3986 §2.3).
    private static func escaped(_ id: String) -> String {
        var text = ""
        for byte in id.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
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

    /// Whether it says that there is no such path or method, as resellers without a list do.
    var hasNoRoute: Bool { [404, 405, 501].contains(status) && envelope?.code != .rateLimited }
}
