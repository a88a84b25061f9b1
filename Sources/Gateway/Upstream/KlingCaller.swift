internal import Base
internal import KlingAPI

/// Asks Kling as one account: with a token, which is signed once more when Kling finds it outside of its time.
struct KlingCaller: Sendable {
    let upstream: any KlingUpstream
    let observer: any GatewayObserver

    /// Kling's answer, as far as it could be read.
    struct Answered: Sendable {
        let status: Int
        /// Nil if the body is no envelope.
        let answer: KlingAnswer?
    }

    /// Sends a create.
    /// - Parameter timeout: how long Kling has; nil: as long as the account allows.
    func create(
        _ account: Account, _ body: [ByteSlice], timeout: Duration? = nil
    ) async throws(KlingFailure) -> Answered {
        try await call(.create, account, TryOn.path, body: body, timeout: timeout ?? account.timeout)
    }

    /// Asks for a task by Kling's id or by the gateway's, which was sent as `external_task_id`.
    func query(_ account: Account, _ id: String, timeout: Duration) async throws(KlingFailure) -> Answered {
        try await call(.query, account, TryOn.path + "/" + Self.escaped(id), timeout: timeout)
    }

    /// Asks for a page of the account's tasks, newest first.
    func list(_ account: Account, page: Int = 1, timeout: Duration) async throws(KlingFailure) -> Answered {
        let size = TryOn.pageSizes.upperBound
        return try await call(.list, account, TryOn.path + "?pageNum=\(page)&pageSize=\(size)", timeout: timeout)
    }

    private func call(
        _ kind: UpstreamCallKind, _ account: Account, _ path: String, body: [ByteSlice] = [], timeout: Duration
    ) async throws(KlingFailure) -> Answered {
        let token = account.token(now: Int(WallClock.seconds))
        let call = KlingCall(kind: kind, account: account, path: path, token: token, body: body, timeout: timeout)
        let answered = try await send(call)
        // 1003 and 1004 say that the request was not even looked at: it may be sent again.
        guard answered.answer?.code.class == .tokenTime, account.invalidate(token) else { return answered }
        var again = call
        again.token = account.token(now: Int(WallClock.seconds))
        return try await send(again)
    }

    private func send(_ call: KlingCall) async throws(KlingFailure) -> Answered {
        let start = MonotonicTime.now
        do {
            let reply = try await upstream.send(call)
            let answer = KlingAnswer(reply.body)
            let outcome: UpstreamCallOutcome =
                answer.map { .code($0.code) } ?? .fault(reply.status >= 400 ? .httpError : .malformed)
            let detail = answer == nil ? "HTTP \(reply.status) without an envelope" : nil
            observer.upstreamCall(call, outcome, detail: detail, duration: MonotonicTime.now - start)
            return Answered(status: reply.status, answer: answer)
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
